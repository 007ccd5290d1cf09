// @ts-check
/** What the quick switcher offers: one's rooms, the people one has met, and rooms that are open. Pure. */

import { directChannel, isRoomName, kindOf, roomNameFrom } from './channels.js';
import { fit } from './fuzzy.js';
import { titleIn } from './titles.js';

/** @import { Range } from './fuzzy.js' */
/** @import { State } from './store.js' */

/**
 * @typedef {object} Option
 * @property {string} channel where it leads
 * @property {'public' | 'private' | 'direct' | 'person' | 'new'} kind
 * @property {string} title
 * @property {string} hint
 * @property {readonly Range[]} ranges of the title that fit what was typed
 */

export const MOST_OPTIONS = 12;

/**
 * The options that fit, the best first; of equally good ones those where one was last.
 *
 * @param {State} state
 * @param {string} typed
 * @param {readonly string[]} recent channels, the last one first
 * @returns {Option[]}
 */
export function optionsOf(state, typed, recent) {
  const all = [...rooms(state), ...persons(state)];
  const ranked = all.flatMap((option) => {
    const found = fit(typed, option.title);
    if (!found) return [];
    const place = recent.indexOf(option.channel);
    const recency = place < 0 ? recent.length : place;
    return [{ option: { ...option, ranges: found.ranges }, score: found.score, recency }];
  });
  // Exactly which letters fit matters less than where one was just now.
  const worth = (/** @type {number} */ score) => Math.round(score / 20);
  ranked.sort(
    (a, b) => worth(b.score) - worth(a.score) || a.recency - b.recency || b.score - a.score,
  );
  const options = ranked.slice(0, MOST_OPTIONS).map(({ option }) => option);
  const name = roomNameFrom(typed);
  const isNew = isRoomName(name) && !all.some(({ channel }) => channel === name);
  return isNew
    ? [...options, { channel: name, kind: 'new', title: name, hint: 'New room', ranges: [] }]
    : options;
}

/** @param {State} state @returns {Option[]} */
function rooms(state) {
  const mine = new Set([...state.places.keys(), ...state.rooms.keys()]);
  const open = state.active.filter(({ channel }) => !mine.has(channel));
  return [
    ...[...mine].map((channel) => ({ channel, hint: '' })),
    ...open.map(({ channel }) => ({ channel, hint: 'Open room' })),
  ].flatMap(({ channel, hint }) => {
    const kind = kindOf(channel);
    return kind === null ? [] : [{ channel, kind, title: titleIn(state, channel), hint, ranges: [] }];
  });
}

/** Those one has no conversation with yet. @param {State} state @returns {Option[]} */
function persons({ people, places, self }) {
  return [...people].flatMap(([user, name]) => {
    const channel = self && user !== self.user ? directChannel([self.user, user]) : null;
    if (channel === null || places.has(channel)) return [];
    return [{ channel, kind: /** @type {const} */ ('person'), title: name, hint: 'Direct message', ranges: [] }];
  });
}
