// @ts-check
/** The state of the page: who we are, the connection, the rooms. Pure, but for createStore(). */

import { EMPTY_ROOM, reduceRoom } from './room.js';

/** @import { Room, RoomEvent } from './room.js' */

/**
 * @typedef {{ user: string, name: string }} Self
 * @typedef {{ channel: string, clients: number }} ActiveRoom
 * @typedef {'connected' | 'connecting' | 'disconnected'} Link
 *
 * @typedef {object} State
 * @property {'asking' | 'joining' | 'in'} stage `joining`: the form waits for the server
 * @property {string} name the name asked for, or as the server gave it
 * @property {string} refusal why the server did not take the name
 * @property {Self | null} self null until the first connection
 * @property {Link} link
 * @property {string} trouble what the link suffers from
 * @property {string | null} channel the room on screen; null when the address names none
 * @property {readonly ActiveRoom[]} active
 * @property {ReadonlyMap<string, Room>} rooms by channel; a room once opened stays
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
 *   | { type: 'roomsListed', rooms: ActiveRoom[] }
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
  channel: null,
  active: [],
  rooms: new Map(),
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
      return { ...state, link: 'connecting', trouble: '' };
    case 'connected':
      return connected(state, event);
    case 'connectFailed':
      return state.link === 'connecting' ? { ...state, trouble: event.reason } : state;
    case 'disconnected':
      return disconnected(state, event);
    case 'roomOpened': {
      if (event.channel === null) return { ...state, channel: null };
      const room = state.rooms.get(event.channel) ?? newRoom(state.self);
      return { ...state, channel: event.channel, rooms: withRoom(state, event.channel, room) };
    }
    case 'roomsListed':
      return { ...state, active: event.rooms };
    case 'room': {
      const room = state.rooms.get(event.channel);
      if (!room) return state;
      return { ...state, rooms: withRoom(state, event.channel, reduceRoom(room, event.event)) };
    }
  }
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
    rooms,
  };
}

/** @param {State} state @param {{ code: number, reason: string }} event @returns {State} */
function disconnected(state, { code, reason }) {
  const next = { ...state, link: /** @type {Link} */ ('disconnected'), trouble: '' };
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
