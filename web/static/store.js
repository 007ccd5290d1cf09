// @ts-check
/** The state of the page: who we are, the connection, the rooms. Pure, but for createStore(). */

import { withDraft } from './drafts.js';
import { learn } from './names.js';
import * as places from './places.js';
import { changeOf, isTyping, topicIn } from './publication.js';
import { EMPTY_ROOM, reduceRoom } from './room.js';

/** @import { Names } from './names.js' */
/** @import { From, Notice } from './notices.js' */
/** @import { Places } from './places.js' */
/** @import { Publication } from './publication.js' */
/** @import { Room, RoomEvent } from './room.js' */

/**
 * @typedef {{ user: string, name: string }} Self
 * @typedef {{ channel: string, clients: number, topic?: string }} ActiveRoom
 * @typedef {{ from: From, isShown: boolean }} Invitation shown until it is put aside
 * @typedef {'connected' | 'connecting' | 'disconnected'} Link
 * @typedef {'unsupported' | 'denied' | 'off' | 'on'} Bell whether notifications are shown
 *
 * @typedef {object} State
 * @property {'asking' | 'joining' | 'in'} stage `joining`: the form waits for the server
 * @property {string} name the name asked for, or as the server gave it
 * @property {string} refusal why the server did not take the name
 * @property {Self | null} self null until the first connection
 * @property {Link} link
 * @property {string} trouble what the link suffers from
 * @property {number | null} retryAt when the SDK tries to connect again, in ms since 1970
 * @property {boolean} online whether the browser has a network
 * @property {boolean} hidden whether one looks elsewhere
 * @property {Bell} bell
 * @property {string | null} channel the room on screen; null when the address names none
 * @property {readonly ActiveRoom[]} active
 * @property {ReadonlyMap<string, Room>} rooms by channel; a room once followed stays
 * @property {Places} places what the server keeps of one's rooms: markers, and what is unread
 * @property {Names} people whom this page has come across, in any room
 * @property {ReadonlyMap<string, Invitation>} invitations to rooms where one has not been yet
 * @property {ReadonlySet<string>} left rooms that one has left, or was put out of
 * @property {import('./drafts.js').Drafts} drafts by channel; those of other visits too
 */

/**
 * @typedef {{ type: 'nameChosen', name: string }
 *   | { type: 'nameWanted' }
 *   | { type: 'nameRefused', reason: string }
 *   | { type: 'resumed', name: string }
 *   | { type: 'connecting' }
 *   | { type: 'connected', user: string, name: string }
 *   | { type: 'connectFailed', reason: string }
 *   | { type: 'disconnected', code: number, reason: string }
 *   | { type: 'roomOpened', channel: string | null }
 *   | { type: 'roomFollowed', channel: string }
 *   | { type: 'roomsListed', rooms: ActiveRoom[] }
 *   | { type: 'placesTold', rooms: any }
 *   | { type: 'seen', channel: string, offset: number }
 *   | { type: 'noticed', notice: Notice }
 *   | { type: 'met', people: readonly { user: string, name: string }[] }
 *   | { type: 'invitationDismissed', channel: string }
 *   | { type: 'retryScheduled', at: number }
 *   | { type: 'onlineChanged', online: boolean }
 *   | { type: 'visibilityChanged', hidden: boolean }
 *   | { type: 'bellChanged', bell: Bell }
 *   | { type: 'drafted', channel: string, draft: import('./drafts.js').Draft }
 *   | { type: 'room', channel: string, event: RoomEvent }} Event
 */

const BAD_REQUEST = 107;
const DISCONNECT_CALLED = 0;

/** @type {State} */
export const INITIAL = {
  stage: 'asking',
  name: '',
  refusal: '',
  self: null,
  link: 'disconnected',
  trouble: '',
  retryAt: null,
  online: true,
  hidden: false,
  bell: 'unsupported',
  channel: null,
  active: [],
  rooms: new Map(),
  places: new Map(),
  people: new Map(),
  invitations: new Map(),
  left: new Set(),
  drafts: new Map(),
};

/** @param {State} state @param {Event} event @returns {State} */
export function reduce(state, event) {
  switch (event.type) {
    case 'nameChosen':
      return { ...state, stage: 'joining', name: event.name, refusal: '' };
    case 'nameWanted':
      return { ...state, stage: 'asking', refusal: '' };
    case 'nameRefused':
      return { ...state, stage: 'asking', refusal: event.reason };
    case 'resumed':
      return { ...state, stage: 'in', name: event.name };
    case 'connecting':
      return { ...state, link: 'connecting', trouble: '', retryAt: null };
    case 'connected':
      return connected(state, event);
    case 'connectFailed':
      return state.link === 'connecting' ? { ...state, trouble: event.reason } : state;
    case 'disconnected':
      return disconnected(state, event);
    case 'roomOpened': {
      if (event.channel === null) return { ...state, channel: null };
      return {
        ...followed(state, event.channel),
        channel: event.channel,
        invitations: withoutKey(state.invitations, event.channel),
        left: new Set([...state.left].filter((channel) => channel !== event.channel)),
      };
    }
    case 'roomFollowed':
      return followed(state, event.channel);
    case 'roomsListed':
      return { ...state, active: event.rooms };
    case 'placesTold':
      return placesTold(state, event.rooms);
    case 'seen':
      return { ...state, places: places.readUpTo(state.places, event.channel, event.offset) };
    case 'noticed':
      return noticed(state, event.notice);
    case 'met':
      return { ...state, people: learn(state.people, event.people) };
    case 'invitationDismissed':
      return { ...state, invitations: dismissed(state.invitations, event.channel) };
    case 'retryScheduled':
      return state.link === 'connecting' ? { ...state, retryAt: event.at } : state;
    case 'onlineChanged':
      return { ...state, online: event.online };
    case 'visibilityChanged':
      return { ...state, hidden: event.hidden };
    case 'bellChanged':
      return { ...state, bell: event.bell };
    case 'drafted':
      return { ...state, drafts: withDraft(state.drafts, event.channel, event.draft) };
    case 'room': {
      const room = state.rooms.get(event.channel);
      if (!room) return state;
      const next = reduceRoom(room, event.event);
      if (next === room) return state;
      const rooms = withRoom(state, event.channel, next);
      const people = next.names === room.names ? state.people : met(state.people, next.names);
      if (event.event.type !== 'published') return { ...state, rooms, people };
      const { publication } = event.event;
      return { ...state, rooms, people, places: heard(state.places, event.channel, next, publication) };
    }
  }
}

/**
 * What the publication in a followed room means for the counts. Our own does not count.
 *
 * @param {Places} before
 * @param {string} channel
 * @param {Room} room
 * @param {Publication} publication
 */
function heard(before, channel, { selves }, publication) {
  const { offset, info } = publication;
  if (!offset || isTyping(publication)) return before;
  const change = changeOf({ ...publication, offset });
  if (change) {
    return change.type === 'delete' ? places.unheard(before, channel, change.target) : before;
  }
  if (selves.includes(info?.user ?? '') || topicIn(publication) !== null) return before;
  const isMention =
    channel.startsWith('dm#') || selves.some((user) => places.names(publication, user));
  return places.heard(before, channel, offset, isMention);
}

/** @param {State} state @param {any} rooms @returns {State} */
function placesTold(state, rooms) {
  const next = places.told(state.places, rooms);
  const members = [...next.values()].flatMap((place) => place.members);
  return { ...state, places: next, people: learn(state.people, members) };
}

/** @param {State} state @param {Notice} notice @returns {State} */
function noticed(state, notice) {
  const { channel } = notice;
  switch (notice.type) {
    case 'read':
      return { ...state, places: places.readUpTo(state.places, channel, notice.offset) };
    case 'mention':
    case 'direct':
      return {
        ...state,
        places: places.heard(state.places, channel, notice.offset, true),
        people: learn(state.people, [notice.from]),
      };
    case 'notify':
      return { ...state, places: places.notifying(state.places, channel, notice.on) };
    case 'left':
      return {
        ...state,
        places: places.without(state.places, channel),
        invitations: withoutKey(state.invitations, channel),
        left: new Set(state.left).add(channel),
      };
    case 'invited':
      return invited(state, notice);
  }
}

/** The room is in the next `mine`; who is in it already needs no invitation. @param {State} state @param {{ channel: string, from: From }} notice */
function invited(state, { channel, from }) {
  if (channel === state.channel) return state;
  const left = new Set([...state.left].filter((each) => each !== channel));
  const invitations = new Map(state.invitations).set(channel, { from, isShown: true });
  return { ...state, left, invitations, people: learn(state.people, [from]) };
}

/** @param {State['invitations']} invitations @param {string} channel @returns {State['invitations']} */
function dismissed(invitations, channel) {
  const invitation = invitations.get(channel);
  if (!invitation) return invitations;
  return new Map(invitations).set(channel, { ...invitation, isShown: false });
}

/** @param {State['invitations']} invitations @param {string} channel */
function withoutKey(invitations, channel) {
  if (!invitations.has(channel)) return invitations;
  const next = new Map(invitations);
  next.delete(channel);
  return next;
}

/** @param {Names} people @param {Names} names */
function met(people, names) {
  return learn(
    people,
    [...names].map(([user, name]) => ({ user, name })),
  );
}

/** @param {State} state @param {string} channel @returns {State} */
function followed(state, channel) {
  const room = state.rooms.get(channel) ?? newRoom(state.self);
  return { ...state, rooms: withRoom(state, channel, room) };
}

/** @param {State} state @param {Self} self @returns {State} */
function connected(state, { user, name }) {
  const rooms = new Map(state.rooms);
  for (const [channel, room] of rooms) {
    rooms.set(channel, reduceRoom(room, { type: 'identified', user, name }));
  }
  return {
    ...state,
    stage: 'in',
    name,
    refusal: '',
    self: { user, name },
    link: 'connected',
    trouble: '',
    retryAt: null,
    rooms,
  };
}

/** @param {State} state @param {{ code: number, reason: string }} event @returns {State} */
function disconnected(state, { code, reason }) {
  const next = {
    ...state,
    link: /** @type {Link} */ ('disconnected'),
    trouble: '',
    retryAt: null,
  };
  if (code === DISCONNECT_CALLED) return next;
  const atTheDoor = !state.self || state.stage !== 'in' || code === BAD_REQUEST;
  return atTheDoor ? { ...next, stage: 'asking', refusal: reason } : { ...next, trouble: reason };
}

/** @param {State} state @param {string} channel @param {Room} room */
function withRoom({ rooms }, channel, room) {
  return new Map(rooms).set(channel, room);
}

/** @param {Self | null} self @returns {Room} */
function newRoom(self) {
  return self ? reduceRoom(EMPTY_ROOM, { type: 'identified', ...self }) : EMPTY_ROOM;
}

/** @typedef {ReturnType<typeof createStore>} Store */

/** @param {State} [initial] */
export function createStore(initial = INITIAL) {
  let state = initial;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  return {
    get state() {
      return state;
    },
    /** @param {Event} event */
    dispatch(event) {
      state = reduce(state, event);
      for (const listener of listeners) listener();
    },
    /** @param {() => void} listener */
    listen(listener) {
      listeners.add(listener);
    },
  };
}
