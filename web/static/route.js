// @ts-check
/** Which room, and which message in it, an address names, and the address of a room. */

import { kindOf, LOBBY } from './channels.js';

/** What is readable in a path, and means nothing there. */
const PLAIN = /%(?:24|2C|3A|40)/g;

/** @param {string} path @returns {string | null} null where the path names no room */
export function channelOf(path) {
  if (path === '/') return LOBBY;
  const [, room] = /^\/r\/([^/]+)\/?$/.exec(path) ?? [];
  const channel = room === undefined ? '' : decoded(room);
  return kindOf(channel) === null ? null : channel;
}

/** @param {string} channel @param {number} [offset] of a message in it */
export function pathOf(channel, offset) {
  const name = encodeURIComponent(channel).replace(PLAIN, decodeURIComponent);
  const room = channel === LOBBY ? '/' : `/r/${name}`;
  return offset === undefined ? room : `${room}#m${offset}`;
}

/** Which message an address names. @param {string} hash @returns {number | null} */
export function offsetOf(hash) {
  const [, digits] = /^#m([1-9][0-9]{0,14})$/.exec(hash) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** @param {string} part of a path @returns {string} '' where it is no text */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
