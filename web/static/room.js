// @ts-check
/**
 * The state of one room and what each event makes of it: pure functions. What the log shows is the
 * matter of stream.js, our own changes on their way that of own-changes.js; here are our own
 * messages on their way, who is here and who types.
 */

import { learn } from './names.js';
import * as own from './own-changes.js';
import { NOBODY, counts, isPresence, joined, left, membersTold, moved, snapshot } from './presence.js';
import { isTyping, nameOf, topicIn } from './publication.js';
import * as quotes from './quotes.js';
import * as stream from './stream.js';

/** @import { Entry, Mentions } from './log.js' */
/** @import { Names } from './names.js' */
/** @import { Presence, Presentness } from './presence.js' */
/** @import { ClientInfo, Publication, Stored } from './publication.js' */
/** @import { Page } from './stream.js' */

/**
 * @typedef {object} Unsent
 * @property {string} key
 * @property {string} text
 * @property {number | null} reply offset of the message that it answers
 * @property {Mentions} mentions
 * @property {readonly import('./attachments.js').Attachment[]} files
 * @property {number} time
 * @property {'pending' | 'sent' | 'failed'} state `sent`: stored, and not in the log yet
 * @property {{ offset: number, epoch: string } | null} place where it is stored, once that is known
 * @property {string} problem why it failed
 *
 * @typedef {{ user: string, name: string, until: number }} Typist
 *
 * @typedef {object} Spot
 * @property {number} offset
 * @property {'marked' | 'place' | 'new' | 'end'} as to be marked; to stand at the top; where what
 *   is new begins; the newest, whatever the offset
 * @property {boolean} isThere
 *
 * @typedef {object} Room
 * @property {readonly string[]} selves the users this page has been: a server may know us no more
 * @property {string} selfName
 * @property {string} epoch
 * @property {number} since top of the log at the last subscribe that was not a recovery
 * @property {number} position what is published up to here is in the log
 * @property {boolean} synced what is published after `position` comes live
 * @property {boolean} loaded a page of messages has been shown
 * @property {readonly Entry[]} log
 * @property {number} floor messages from here on belong to the log, those below are not loaded
 * @property {number} ceiling messages up to here belong to the log
 * @property {boolean} atEnd the log reaches the newest message
 * @property {number} most messages that the log may have
 * @property {boolean} isReading somebody reads further up: what is new shall not push that out
 * @property {readonly Stored[]} held what cannot be let in yet, by offset
 * @property {boolean} complete nothing older than the log is kept by the server
 * @property {'' | 'loading' | 'failed'} older
 * @property {'' | 'loading' | 'failed'} newer
 * @property {readonly Stored[]} missed what came while older or newer ones load
 * @property {readonly Entry[]} beyond the newest of what came and is not in the window
 * @property {number | null} divider what comes after it was new when the room was opened
 * @property {Spot | null} spot the message to show now; a new object each time
 * @property {readonly Unsent[]} unsent
 * @property {readonly import('./own-changes.js').OwnChange[]} changes ours, on their way
 * @property {import('./quotes.js').Quotes} quotes
 * @property {number} quotesFrom the position that one has to be read at, or later
 * @property {Names} names
 * @property {Presence} presence
 * @property {readonly Typist[]} typists
 * @property {string | null} topic what the room is about; null: not known
 * @property {boolean} moderates whether we may put others out here
 * @property {string} refusal why the server does not let us in
 */

/**
 * @typedef {{ type: 'identified', user: string, name: string }
 *   | { type: 'subscribed', epoch: string, offset: number, recovered: boolean, moderates?: boolean, topic?: string }
 *   | { type: 'refused', reason: string }
 *   | { type: 'published', publication: Publication, now: number }
 *   | { type: 'messagesLoaded', pages: readonly [Page, ...Page[]] }
 *   | { type: 'messagesUnavailable' }
 *   | { type: 'begun' }
 *   | { type: 'olderRequested' }
 *   | { type: 'olderLoaded', page: Page, before: number }
 *   | { type: 'olderFailed' }
 *   | { type: 'newerRequested' }
 *   | { type: 'newerLoaded', page: Page, after: number }
 *   | { type: 'newerFailed' }
 *   | { type: 'moved' }
 *   | { type: 'spotted', offset: number, as: Spot['as'] }
 *   | { type: 'shown' }
 *   | { type: 'hidden' }
 *   | { type: 'reading', isReading: boolean }
 *   | { type: 'divided', read: number | null }
 *   | { type: 'sendRequested', key: string, text: string, time: number, reply?: number | null, mentions?: Mentions,
 *       files?: readonly import('./attachments.js').Attachment[] }
 *   | { type: 'sent', key: string, offset: number, epoch: string }
 *   | { type: 'sendFailed', key: string, problem: string }
 *   | { type: 'sendRetried', key: string }
 *   | { type: 'sendDiscarded', key: string }
 *   | import('./own-changes.js').OwnChangeEvent
 *   | import('./quotes.js').QuoteEvent
 *   | { type: 'presenceRead', infos: ClientInfo[] }
 *   | { type: 'presenceCounted', clients: number, users: number }
 *   | { type: 'membersTold', members: { user: string, name: string, state: Presentness }[], isClosed: boolean }
 *   | { type: 'joined', info: ClientInfo }
 *   | { type: 'left', info: ClientInfo }
 *   | { type: 'timePassed', now: number }} RoomEvent
 */

export const TYPING_LASTS_MS = 4000;

/** Some ten screens: what one reads stays when pages come and go, and a change draws in a frame or two. */
export const MOST_SHOWN = 200;
/** A page: what is there at once when one comes back to a room. */
const MOST_IN_BACKGROUND = 50;

/** @type {Room} */
export const EMPTY_ROOM = {
  selves: [],
  selfName: '',
  epoch: '',
  since: 0,
  position: 0,
  synced: false,
  loaded: false,
  log: [],
  floor: 1,
  ceiling: 0,
  atEnd: true,
  most: MOST_SHOWN,
  isReading: false,
  held: [],
  complete: false,
  older: '',
  newer: '',
  missed: [],
  beyond: [],
  divider: null,
  spot: null,
  unsent: [],
  changes: [],
  quotes: new Map(),
  quotesFrom: 0,
  names: new Map(),
  presence: NOBODY,
  typists: [],
  topic: null,
  moderates: false,
  refusal: '',
};

/** @param {Room} room @param {RoomEvent} event @returns {Room} */
export function reduceRoom(room, event) {
  switch (event.type) {
    case 'identified':
      return { ...room, selves: withSelf(room.selves, event.user), selfName: event.name };
    case 'subscribed': {
      const { moderates = false, topic = '' } = event;
      return settle(stream.subscribed({ ...room, refusal: '', moderates, topic }, event));
    }
    case 'refused':
      return { ...room, refusal: event.reason, moderates: false, presence: NOBODY, typists: [] };
    case 'published':
      return published(room, event.publication, event.now);
    case 'messagesLoaded': {
      const next = settle(quotes.forgotten(stream.loaded(room, event.pages)));
      return meet(next, next.log);
    }
    case 'messagesUnavailable':
      return settle(stream.begun(room, true));
    case 'begun':
      return settle(quotes.forgotten(stream.begun(room, false)));
    case 'olderRequested':
      return { ...room, older: 'loading' };
    case 'olderLoaded': {
      const next = settle(stream.olderLoaded(room, event));
      return meet(next, next.log);
    }
    case 'olderFailed':
      return stream.rested({ ...room, older: 'failed' });
    case 'newerRequested':
      return { ...room, newer: 'loading' };
    case 'newerLoaded': {
      const next = settle(stream.newerLoaded(room, event));
      return meet(next, next.log);
    }
    case 'newerFailed':
      return stream.rested({ ...room, newer: 'failed' });
    case 'moved':
      return { ...stream.moved(room), isReading: false };
    case 'spotted':
      return { ...room, spot: spotted(room, event) };
    case 'shown':
      return { ...room, most: MOST_SHOWN };
    case 'hidden':
      return hidden(room);
    case 'reading':
      return { ...room, isReading: event.isReading };
    case 'divided':
      return { ...room, divider: event.read };
    case 'sendRequested': {
      const { key, text, time, reply = null, mentions = {}, files = [] } = event;
      const message = { key, text, reply, mentions, files, time };
      /** @type {Unsent} */
      const unsent = { ...message, state: 'pending', place: null, problem: '' };
      return { ...room, unsent: [...room.unsent, unsent] };
    }
    case 'sent': {
      const { key, offset, epoch } = event;
      return settle(mark(room, key, { state: 'sent', place: { offset, epoch } }));
    }
    case 'sendFailed':
      return mark(room, event.key, { state: 'failed', problem: event.problem });
    case 'sendRetried':
      return mark(room, event.key, { state: 'pending', problem: '' });
    case 'sendDiscarded':
      return { ...room, unsent: room.unsent.filter(({ key }) => key !== event.key) };
    case 'changeRequested':
    case 'changeFailed':
    case 'changeRetried':
    case 'changeDiscarded':
      return own.reduceOwnChanges(room, event);
    case 'changeSent':
      return own.settle(own.reduceOwnChanges(room, event));
    case 'quoteWanted':
    case 'quoteRead': {
      const next = quotes.reduceQuotes(room, event);
      const quote = next.quotes.get(event.offset);
      return quote ? meet(next, [quote]) : next;
    }
    case 'presenceRead':
      return meet({ ...room, presence: snapshot(room.presence, event.infos) }, event.infos.map(personOf));
    case 'presenceCounted':
      return { ...room, presence: counts(room.presence, event.clients, event.users) };
    case 'membersTold': {
      const presence = membersTold(room.presence, event.members, event.isClosed);
      return meet({ ...room, presence }, event.members);
    }
    case 'joined':
      return meet({ ...room, presence: joined(room.presence, event.info) }, [personOf(event.info)]);
    case 'left':
      return {
        ...room,
        presence: left(room.presence, event.info),
        typists: room.typists.filter(({ user }) => user !== event.info.user),
      };
    case 'timePassed':
      return { ...room, typists: room.typists.filter(({ until }) => until > event.now) };
  }
}

/** @param {Room} room @param {{ offset: number, as: Spot['as'] }} event @returns {Spot} */
function spotted({ log }, { offset, as }) {
  return { offset, as, isThere: log.some((entry) => entry.offset === offset) };
}

/** Nobody looks at the room: it keeps its newest messages. @param {Room} room @returns {Room} */
function hidden(room) {
  const next = { ...room, most: MOST_IN_BACKGROUND, isReading: false, divider: null, spot: null };
  if (stream.hasNewer(next) && next.synced) return settle(quotes.forgotten(stream.begun(next, false)));
  return stream.resized(next, MOST_IN_BACKGROUND);
}

/** The last one is who we are now. @param {readonly string[]} selves @param {string} user */
function withSelf(selves, user) {
  return selves.at(-1) === user ? selves : [...selves.filter((one) => one !== user), user];
}

/** @param {Room} room @param {Publication} publication @param {number} now @returns {Room} */
function published(room, publication, now) {
  const { offset, info } = publication;
  if (isTyping(publication)) {
    if (!info || room.selves.includes(info.user)) return room;
    const others = room.typists.filter(({ user }) => user !== info.user);
    const typist = { user: info.user, name: nameOf(info), until: now + TYPING_LASTS_MS };
    return { ...room, typists: [...others, typist] };
  }
  if (isPresence(publication)) return { ...room, presence: moved(room.presence, publication) };
  if (!offset) return room; // never stored and not known here: nothing to show

  const stored = { ...publication, offset };
  const next = settle(quotes.published(stream.published(room, stored), stored));
  const typists = room.typists.filter(({ user }) => user !== info?.user);
  const topic = topicIn(publication) ?? next.topic;
  return meet({ ...next, topic, typists }, info ? [personOf(info)] : []);
}

/** @param {Room} room @param {readonly { user: string, name: string }[]} people @returns {Room} */
function meet(room, people) {
  return { ...room, names: learn(room.names, people) };
}

/** @param {ClientInfo} info */
function personOf(info) {
  return { user: info.user, name: nameOf(info) };
}

/**
 * Own messages that the log has are sent, whatever became of the reply. One that was stored up to
 * the log's position is in the log, or further up than what is loaded; one of another epoch is in
 * none.
 *
 * @param {Room} before
 * @returns {Room}
 */
function settle(before) {
  const room = own.settle(before);
  if (room.unsent.length === 0) return room;
  const { synced, epoch, position } = room;
  const ours = room.log.filter(({ user }) => room.selves.includes(user));
  const keys = new Set(ours.map(({ key }) => key));
  const unsent = room.unsent.filter(({ key, place }) => {
    if (keys.has(key)) return false;
    if (!place) return true;
    return place.epoch === epoch && !(synced && place.offset <= position);
  });
  return { ...room, unsent };
}

/** Whether the server has all that was said and changed here. @param {Pick<Room, 'unsent' | 'changes'>} room */
export function isAllSent({ unsent, changes }) {
  return [...unsent, ...changes].every(({ state }) => state === 'sent');
}

/** @param {Room} room @param {string} key @param {Partial<Unsent>} change @returns {Room} */
function mark(room, key, change) {
  return {
    ...room,
    unsent: room.unsent.map((unsent) => (unsent.key === key ? { ...unsent, ...change } : unsent)),
  };
}
