// @ts-check
/**
 * The state of one room and what each event makes of it: pure functions. Replies, publications,
 * history pages and resumes may come in any order and more than once; the same events end in the
 * same view.
 *
 * `log` is what is shown, without a gap. While the room is not `synced` (before the first history
 * page, or after a resume that the server could not fill), live publications wait in `held` until a
 * page joins them to the log.
 */

import { entryOf, isTyping, nameOf } from './publication.js';
import { firstOffset, joinedTo, merge } from './log.js';
import { NOBODY, counts, joined, left, snapshot } from './presence.js';

/** @import { Entry } from './log.js' */
/** @import { ClientInfo, Publication } from './publication.js' */
/** @import { Presence } from './presence.js' */

/**
 * @typedef {object} Unsent
 * @property {string} key
 * @property {string} text
 * @property {number} time
 * @property {'pending' | 'failed'} state
 * @property {string} problem why it failed
 *
 * @typedef {{ user: string, name: string, until: number }} Typist
 *
 * @typedef {object} Room
 * @property {readonly string[]} selves the users this page has been: a server may know us no more
 * @property {string} selfName
 * @property {string} epoch
 * @property {number} position top of the log at the last subscribe that was not a recovery
 * @property {boolean} synced
 * @property {boolean} loaded a page of history has been shown
 * @property {readonly Entry[]} log
 * @property {number} floor offsets from here on belong to the log, those below are not loaded
 * @property {readonly Entry[]} held
 * @property {boolean} complete nothing older than the log is kept by the server
 * @property {'' | 'loading' | 'failed'} older
 * @property {readonly Unsent[]} unsent
 * @property {Presence} presence
 * @property {readonly Typist[]} typists
 * @property {string} refusal why the server does not let us in
 */

/**
 * @typedef {{ type: 'identified', user: string, name: string }
 *   | { type: 'subscribed', epoch: string, offset: number, recovered: boolean }
 *   | { type: 'refused', reason: string }
 *   | { type: 'published', publication: Publication, now: number }
 *   | { type: 'historyLoaded', publications: Publication[], epoch: string, offset: number }
 *   | { type: 'historyUnavailable' }
 *   | { type: 'olderRequested' }
 *   | { type: 'olderLoaded', publications: Publication[], before: number }
 *   | { type: 'olderFailed' }
 *   | { type: 'sendRequested', key: string, text: string, time: number }
 *   | { type: 'sent', key: string, offset: number, epoch: string, time: number }
 *   | { type: 'sendFailed', key: string, problem: string }
 *   | { type: 'sendRetried', key: string }
 *   | { type: 'sendDiscarded', key: string }
 *   | { type: 'presenceRead', infos: ClientInfo[] }
 *   | { type: 'presenceCounted', clients: number, users: number }
 *   | { type: 'joined', info: ClientInfo }
 *   | { type: 'left', info: ClientInfo }
 *   | { type: 'timePassed', now: number }
 *   | { type: 'trimmed', keep: number }} RoomEvent
 */

export const TYPING_LASTS_MS = 4000;

/** @type {Room} */
export const EMPTY_ROOM = {
  selves: [],
  selfName: '',
  epoch: '',
  position: 0,
  synced: false,
  loaded: false,
  log: [],
  floor: 1,
  held: [],
  complete: false,
  older: '',
  unsent: [],
  presence: NOBODY,
  typists: [],
  refusal: '',
};

/** @param {Room} room @param {RoomEvent} event @returns {Room} */
export function reduceRoom(room, event) {
  switch (event.type) {
    case 'identified':
      return { ...room, selves: [...new Set([...room.selves, event.user])], selfName: event.name };
    case 'subscribed':
      return subscribed(room, event);
    case 'refused':
      return { ...room, refusal: event.reason, presence: NOBODY, typists: [] };
    case 'published':
      return published(room, event.publication, event.now);
    case 'historyLoaded':
      return historyLoaded(room, event);
    case 'historyUnavailable':
      return showHeld({ ...room, complete: true }, room.position + 1);
    case 'olderRequested':
      return { ...room, older: 'loading' };
    case 'olderLoaded':
      return olderLoaded(room, event);
    case 'olderFailed':
      return { ...room, older: 'failed' };
    case 'sendRequested': {
      const { key, text, time } = event;
      return {
        ...room,
        unsent: [...room.unsent, { key, text, time, state: 'pending', problem: '' }],
      };
    }
    case 'sent':
      return sent(room, event);
    case 'sendFailed':
      return mark(room, event.key, { state: 'failed', problem: event.problem });
    case 'sendRetried':
      return mark(room, event.key, { state: 'pending', problem: '' });
    case 'sendDiscarded':
      return { ...room, unsent: room.unsent.filter(({ key }) => key !== event.key) };
    case 'presenceRead':
      return { ...room, presence: snapshot(event.infos) };
    case 'presenceCounted':
      return { ...room, presence: counts(event.clients, event.users) };
    case 'joined':
      return { ...room, presence: joined(room.presence, event.info) };
    case 'left':
      return {
        ...room,
        presence: left(room.presence, event.info),
        typists: room.typists.filter(({ user }) => user !== event.info.user),
      };
    case 'timePassed':
      return { ...room, typists: room.typists.filter(({ until }) => until > event.now) };
    case 'trimmed':
      if (room.log.length <= event.keep) return room;
      return from(room, room.log.slice(-event.keep), false);
  }
}

/** Whether "load older" has something to do. @param {Room} room */
export function hasOlder({ loaded, complete, floor }) {
  return loaded && !complete && floor > 1;
}

/**
 * @param {Room} room
 * @param {{ epoch: string, offset: number, recovered: boolean }} event
 * @returns {Room}
 */
function subscribed(room, { epoch, offset, recovered }) {
  if (recovered) return { ...room, refusal: '' };
  const anotherLife = room.epoch !== '' && room.epoch !== epoch;
  return {
    ...room,
    refusal: '',
    epoch,
    position: offset,
    synced: false,
    older: '',
    ...(anotherLife && { log: [], held: [], loaded: false, complete: false }),
  };
}

/** @param {Room} room @param {Publication} publication @param {number} now @returns {Room} */
function published(room, publication, now) {
  const { info } = publication;
  if (isTyping(publication)) {
    if (!info || room.selves.includes(info.user)) return room;
    const others = room.typists.filter(({ user }) => user !== info.user);
    const typist = { user: info.user, name: nameOf(info), until: now + TYPING_LASTS_MS };
    return { ...room, typists: [...others, typist] };
  }
  if (!publication.offset) return room; // never stored and not known here: nothing to show

  const entry = entryOf(publication);
  return settle(
    { ...place(room, entry), typists: room.typists.filter(({ user }) => user !== entry.user) },
    [entry],
  );
}

/**
 * @param {Room} room
 * @param {{ publications: Publication[], epoch: string, offset: number }} page newest first
 * @returns {Room}
 */
function historyLoaded(room, { publications, epoch, offset }) {
  // A page from before the subscribe: publications between it and the live stream would be missing.
  if (epoch !== room.epoch || offset < room.position) return room;

  const page = publications.map(entryOf);
  const low = Math.min(offset + 1, ...page.map((entry) => entry.offset));
  const next = showHeld({ ...room, held: merge(page, room.held) }, low);
  return settle(
    { ...next, complete: page.length === 0 || (room.complete && next.floor === room.floor) },
    page,
  );
}

/** @param {Room} room @param {number} low from here on nothing is missing @returns {Room} */
function showHeld(room, low) {
  const log = joinedTo(merge(room.log, room.held), low);
  const floor = Math.min(low, firstOffset(log));
  return { ...room, log, floor, held: [], synced: true, loaded: true };
}

/**
 * @param {Room} room
 * @param {{ publications: Publication[], before: number }} page newest first
 * @returns {Room}
 */
function olderLoaded(room, { publications, before }) {
  if (room.older !== 'loading') return room;
  if (room.floor !== before) return { ...room, older: '' }; // reloaded or trimmed meanwhile
  const page = publications.map(entryOf);
  const log = joinedTo(merge(room.log, page), before);
  return settle(from({ ...room, older: '' }, log, page.length === 0), page);
}

/** @param {Room} room @param {readonly Entry[]} log @param {boolean} complete @returns {Room} */
function from(room, log, complete) {
  return { ...room, log, floor: log[0]?.offset ?? room.floor, complete };
}

/**
 * @param {Room} room
 * @param {{ key: string, offset: number, epoch: string, time: number }} reply
 * @returns {Room}
 */
function sent(room, { key, offset, epoch, time }) {
  const message = room.unsent.find((unsent) => unsent.key === key);
  if (!message) return room;
  const next = { ...room, unsent: room.unsent.filter((unsent) => unsent !== message) };
  if (epoch !== room.epoch) return next;
  return place(next, {
    offset,
    user: room.selves.at(-1) ?? '',
    name: room.selfName,
    key,
    time,
    text: message.text,
    kind: 'message',
    provisional: true,
  });
}

/** @param {Room} room @param {Entry} entry @returns {Room} */
function place(room, entry) {
  if (!room.synced) return { ...room, held: merge(room.held, [entry]) };
  // Older than what is loaded: it would stand behind a gap, and comes with "load older".
  if (entry.offset < room.floor) return room;
  return { ...room, log: merge(room.log, [entry]) };
}

/**
 * Own messages that the log has are sent, whatever became of the reply.
 *
 * @param {Room} room
 * @param {readonly Entry[]} entries
 * @returns {Room}
 */
function settle(room, entries) {
  if (room.unsent.length === 0) return room;
  const keys = new Set(
    entries.filter(({ user }) => room.selves.includes(user)).map(({ key }) => key),
  );
  return { ...room, unsent: room.unsent.filter(({ key }) => !keys.has(key)) };
}

/** @param {Room} room @param {string} key @param {Partial<Unsent>} change @returns {Room} */
function mark(room, key, change) {
  return {
    ...room,
    unsent: room.unsent.map((unsent) => (unsent.key === key ? { ...unsent, ...change } : unsent)),
  };
}
