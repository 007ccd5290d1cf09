// @ts-check
/** Which room an address names, and the address of a room. */

export const LOBBY = 'lobby';

/** What the page can put in a path as it is; "." and ".." would be resolved away. */
const ROOM = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;

/**
 * Not what every object has, such as "constructor": the SDK keeps subscriptions in an object, by channel.
 *
 * @param {string} name
 */
export function isRoomName(name) {
  return ROOM.test(name) && !(name in {});
}

/** @param {string} typed @returns {string} the room name meant, maybe not a valid one */
export function roomNameFrom(typed) {
  return typed.trim().replace(/^#/, '').replace(/\s+/g, '-');
}

/** @param {string} path @returns {string | null} null where the path names no room */
export function channelOf(path) {
  if (path === '/') return LOBBY;
  const [, room] = /^\/r\/([^/]*)\/?$/.exec(path) ?? [];
  return room !== undefined && isRoomName(room) ? room : null;
}

/** @param {string} channel @param {number} [offset] of a message in it */
export function pathOf(channel, offset) {
  const room = channel === LOBBY ? '/' : `/r/${channel}`;
  return offset === undefined ? room : `${room}#m${offset}`;
}

/** Which message an address names. @param {string} hash @returns {number | null} */
export function offsetOf(hash) {
  const [, digits] = /^#m([1-9][0-9]{0,14})$/.exec(hash) ?? [];
  return digits === undefined ? null : Number(digits);
}
