// @ts-check
/** What the tab says while one looks elsewhere: the title, and a badge on its icon. */

import { countsOf, figure, totalOf } from './places.js';
import { titleIn } from './titles.js';

/** @import { State } from './store.js' */
/** @import { Counts } from './places.js' */

/** As in favicon.svg. */
const ICON =
  '<path fill="#a3d5d0" d="M14 11h13a3 3 0 0 1 3 3v9a3 3 0 0 1-3 3v4l-5-4h-8a3 3 0 0 1-3-3v-9a3 3 0 0 1 3-3z"/>' +
  '<path fill="#23857e" d="M5 2h14a3 3 0 0 1 3 3v9a3 3 0 0 1-3 3h-8l-6 5v-5a3 3 0 0 1-3-3V5a3 3 0 0 1 3-3z"/>' +
  '<path fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" d="M7 7.5h10M7 11.5h6"/>';

/** @param {State} state */
export function titleOf(state) {
  if (state.stage !== 'in') return 'Parley';
  if (state.channel === null) return 'No such room · Parley';
  const { unread } = unreadIn(state);
  return `${unread > 0 ? `(${figure(unread)}) ` : ''}${titleIn(state, state.channel)} · Parley`;
}

/** What is unread of a room, or nothing while one sees it arrive. @param {State} state @param {string} channel */
export function unreadOf(state, channel) {
  return isWatched(state, channel) ? { unread: 0, mentions: 0 } : countsOf(state.places.get(channel));
}

/** What is unread of all rooms. @param {State} state @returns {Counts} */
export function unreadIn(state) {
  const others = [...state.places].filter(([channel]) => !isWatched(state, channel));
  return totalOf(others.map(([, place]) => place));
}

/**
 * The icon with a badge: a dot for what is unread, a figure if somebody means the user.
 *
 * @param {Counts} counts
 * @returns {string} an address; '' for the plain icon
 */
export function badgeOf({ unread, mentions }) {
  if (unread === 0 && mentions === 0) return '';
  const label = mentions > 9 ? '9+' : String(mentions);
  const badge =
    mentions > 0
      ? `<circle cx="21" cy="11" r="11" fill="#b3261e"/><text x="21" y="16" font-family="sans-serif" font-size="14" font-weight="bold" text-anchor="middle" fill="#fff">${label}</text>`
      : '<circle cx="24" cy="8" r="8" fill="#fff"/><circle cx="24" cy="8" r="6" fill="#b3261e"/>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${ICON}${badge}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** Whether one sees what arrives there: on screen, at its end. @param {State} state @param {string} channel */
function isWatched({ channel: current, hidden, rooms }, channel) {
  const room = rooms.get(channel);
  return channel === current && !hidden && room !== undefined && room.atEnd && !room.isReading;
}
