// @ts-check
/** The rooms in the side panel, by kind: pure. */

import { kindOf, LOBBY } from './channels.js';
import { unreadOf } from './title.js';
import { titleIn } from './titles.js';

/** @import { State } from './store.js' */

/**
 * @typedef {object} RoomRow
 * @property {string} channel
 * @property {import('./channels.js').Kind} kind
 * @property {string} title
 * @property {string} topic
 * @property {number} unread
 * @property {number} mentions
 * @property {boolean} isCurrent
 * @property {boolean} isMuted
 * @property {boolean} isInvitation one was invited, and has not been there yet
 *
 * @typedef {object} Sections
 * @property {RoomRow[]} publics
 * @property {RoomRow[]} privates
 * @property {RoomRow[]} directs
 * @property {import('./store.js').ActiveRoom[]} others open rooms where one has not been, the largest first
 */

const MOST_OTHERS = 5;

/** @param {State} state @returns {Sections} */
export function sectionsOf(state) {
  const rows = mine(state).flatMap((channel) => rowOf(state, channel) ?? []);
  rows.sort(
    (a, b) =>
      Number(b.channel === LOBBY) - Number(a.channel === LOBBY) || a.title.localeCompare(b.title),
  );
  const listed = new Set(rows.map(({ channel }) => channel));
  return {
    publics: rows.filter(({ kind }) => kind === 'public'),
    privates: rows.filter(({ kind }) => kind === 'private'),
    directs: rows.filter(({ kind }) => kind === 'direct'),
    others: state.active
      .filter(({ channel }) => kindOf(channel) === 'public' && !listed.has(channel))
      .slice(0, MOST_OTHERS),
  };
}

/** In the order in which they are listed. @param {State} state */
export function order(state) {
  const { publics, privates, directs } = sectionsOf(state);
  return [...publics, ...privates, ...directs].map(({ channel }) => channel);
}

/** @param {State} state */
export function topicOf(state, channel = state.channel) {
  if (channel === null) return '';
  const room = state.rooms.get(channel);
  const listed = state.active.find((each) => each.channel === channel)?.topic;
  return room?.topic ?? state.places.get(channel)?.topic ?? listed ?? '';
}

/** Where one has been, but has not left, or is kept a place. @param {State} state @returns {string[]} */
function mine({ channel, rooms, places, invitations, left }) {
  const been = [...rooms.keys()].filter((each) => !left.has(each));
  const current = channel === null ? [] : [channel];
  return [...new Set([LOBBY, ...places.keys(), ...been, ...invitations.keys(), ...current])];
}

/** @param {State} state @param {string} channel @returns {RoomRow | null} */
function rowOf(state, channel) {
  const kind = kindOf(channel);
  if (kind === null) return null;
  return {
    channel,
    kind,
    title: titleIn(state, channel),
    topic: topicOf(state, channel),
    ...unreadOf(state, channel),
    isCurrent: channel === state.channel,
    isMuted: state.places.get(channel)?.notify === false,
    isInvitation: state.invitations.has(channel),
  };
}
