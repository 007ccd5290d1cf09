// @ts-check
/** What the name of a channel says of it: a public room, a private one, or a direct conversation. */

export const LOBBY = 'lobby';

/** What the page can put in a path as it is; "." and ".." would be resolved away. */
const ROOM = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;
const PRIVATE = '$';
const DIRECT = 'dm#';
const FEWEST_USERS = 2;
export const MOST_USERS = 8;
const MOST_CHANNEL_BYTES = 255;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;

/** @typedef {'public' | 'private' | 'direct'} Kind */

/**
 * Not what every object has, such as "constructor": the SDK keeps subscriptions in an object, by channel.
 *
 * @param {string} name
 */
export function isRoomName(name) {
  return ROOM.test(name) && !(name in {});
}

/** @param {string} channel @returns {Kind | null} null for what the page cannot show */
export function kindOf(channel) {
  if (isRoomName(channel)) return 'public';
  if (channel.startsWith(PRIVATE)) return isRoomName(nameIn(channel)) ? 'private' : null;
  return channel.startsWith(DIRECT) && directChannel(usersOf(channel)) === channel
    ? 'direct'
    : null;
}

/** What a private room is called, without the sign that makes it one. @param {string} channel */
export function nameIn(channel) {
  return channel.slice(PRIVATE.length);
}

/** @param {string} name */
export function privateChannel(name) {
  return PRIVATE + name;
}

/** Between whom a direct conversation is. @param {string} channel */
export function usersOf(channel) {
  return channel.slice(DIRECT.length).split(',');
}

/**
 * The one name of the conversation between some users, in whatever order they come.
 *
 * @param {Iterable<string>} users
 * @returns {string | null} null where there can be none: too few or too many, or what is no user
 */
export function directChannel(users) {
  const ids = [...new Set(users)].sort(byCodePoint);
  if (ids.length < FEWEST_USERS || ids.length > MOST_USERS) return null;
  if (ids.some((user) => user === '' || user.includes(',') || UNPRINTABLE.test(user))) return null;
  const channel = DIRECT + ids.join(',');
  const isTooLong = new TextEncoder().encode(channel).length > MOST_CHANNEL_BYTES;
  return isTooLong || channel !== channel.trim() ? null : channel;
}

/** @param {string} typed @returns {string} the room name meant, maybe not a valid one */
export function roomNameFrom(typed) {
  return typed.trim().replace(/^[#$]/, '').replace(/\s+/g, '-');
}

/** As the server sorts: JavaScript compares UTF-16. @param {string} a @param {string} b */
function byCodePoint(a, b) {
  const [one, other] = [Array.from(a), Array.from(b)];
  for (let index = 0; index < Math.min(one.length, other.length); index += 1) {
    const difference = (one[index]?.codePointAt(0) ?? 0) - (other[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}
