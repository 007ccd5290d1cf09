// @ts-check
/**
 * What the server keeps of the user's rooms, and what came since it was asked: pure functions. What
 * the server says counts; what comes live makes the counts right at once.
 */

/** @import { Publication } from './publication.js' */

/**
 * @typedef {object} Place
 * @property {number} read the marker: messages up to here were seen
 * @property {number} head the newest offset that `unread` and `mentions` know of
 * @property {string} epoch
 * @property {number} unread
 * @property {number} mentions
 * @property {boolean} notify
 * @property {string} topic
 * @property {readonly { user: string, name: string }[]} members of a direct conversation
 * @property {readonly News[]} news what came live after `head`
 *
 * @typedef {{ offset: number, isMention: boolean }} News
 * @typedef {ReadonlyMap<string, Place>} Places by channel
 * @typedef {{ unread: number, mentions: number }} Counts
 */

/** The server counts no more. */
const MOST_COUNTED = 1000;

/** @type {Place} */
const NEW_PLACE = {
  read: 0,
  head: 0,
  epoch: '',
  unread: 0,
  mentions: 0,
  notify: true,
  topic: '',
  members: [],
  news: [],
};

/** @param {Places} places @param {any} rooms as rpc `mine` tells them @returns {Places} */
export function told(places, rooms) {
  if (!Array.isArray(rooms)) return places;
  // A marker that the server was not told yet.
  const own = [...places].filter(([, { epoch }]) => epoch === '');
  const all = rooms.filter((room) => typeof room?.channel === 'string');
  return new Map([
    ...all.map((room) => entry(room.channel, merged(places.get(room.channel) ?? NEW_PLACE, room))),
    ...own.filter(([channel]) => !all.some((room) => room.channel === channel)),
  ]);
}

/** @param {string} channel @param {Place} place @returns {[string, Place]} */
function entry(channel, place) {
  return [channel, place];
}

/** @param {Place} before @param {any} room @returns {Place} */
function merged(before, { read, head, epoch, unread, mentions, notify, topic, members }) {
  const base = {
    read: count(read),
    head: count(head),
    epoch: String(epoch ?? ''),
    unread: count(unread),
    mentions: count(mentions),
    notify: notify !== false,
    topic: typeof topic === 'string' ? topic : '',
    members: Array.isArray(members) ? members : [],
  };
  if (before.epoch && base.epoch !== before.epoch) return { ...base, news: [] };
  const next = { ...base, news: before.news.filter(({ offset }) => offset > base.head) };
  // The answer may have been under way when we read on.
  return before.read > next.read ? raised(next, before.read) : next;
}

/**
 * Somebody else said something in a room that is followed.
 *
 * @param {Places} places
 * @param {string} channel
 * @param {number} offset
 * @param {boolean} isMention
 * @returns {Places}
 */
export function heard(places, channel, offset, isMention) {
  const place = places.get(channel);
  if (!place || offset <= Math.max(place.head, place.read) || place.news.some((each) => each.offset === offset)) {
    return places;
  }
  const news = [...place.news, { offset, isMention }].slice(-MOST_COUNTED);
  return withPlace(places, channel, { ...place, news });
}

/** It was deleted. @param {Places} places @param {string} channel @param {number} offset */
export function unheard(places, channel, offset) {
  const place = places.get(channel);
  if (!place?.news.some((each) => each.offset === offset)) return places;
  const news = place.news.filter((each) => each.offset !== offset);
  return withPlace(places, channel, { ...place, news });
}

/** The marker rose, here or in another tab. @param {Places} places @param {string} channel @param {number} offset */
export function readUpTo(places, channel, offset) {
  const place = places.get(channel) ?? NEW_PLACE;
  if (offset <= place.read) return places;
  return withPlace(places, channel, raised(place, offset));
}

/** @param {Places} places @param {string} channel @param {boolean} notify @returns {Places} */
export function notifying(places, channel, notify) {
  const place = places.get(channel);
  return place ? withPlace(places, channel, { ...place, notify }) : places;
}

/** @param {Places} places @param {string} channel @returns {Places} */
export function without(places, channel) {
  const next = new Map(places);
  next.delete(channel);
  return next;
}

/**
 * What to show of a place: a muted one counts what names us only.
 *
 * @param {Place | undefined} place
 * @returns {Counts}
 */
export function countsOf(place) {
  if (!place) return { unread: 0, mentions: 0 };
  const mentions = place.mentions + place.news.filter(({ isMention }) => isMention).length;
  const unread = place.notify ? place.unread + place.news.length : mentions;
  return {
    unread: Math.min(unread, MOST_COUNTED),
    mentions: Math.min(mentions, MOST_COUNTED),
  };
}

/** @param {Iterable<Place>} places @returns {Counts} */
export function totalOf(places) {
  const total = { unread: 0, mentions: 0 };
  for (const place of places) {
    const { unread, mentions } = countsOf(place);
    total.unread += unread;
    total.mentions += mentions;
  }
  return total;
}

/** What is shown of a count. @param {number} count */
export function figure(count) {
  return count > 99 ? '99+' : String(count);
}

/** How many messages of others come after the marker, muted or not. @param {Place | undefined} place */
export function newIn(place) {
  return place ? Math.min(place.unread + place.news.length, MOST_COUNTED) : 0;
}

/**
 * Whether the publication of somebody else names the user, and whose it is.
 *
 * @param {Publication} publication
 * @param {string} user
 */
export function names({ data }, user) {
  const { mentions } = data ?? {};
  return Boolean(mentions) && typeof mentions === 'object' && Object.hasOwn(mentions, user);
}

/**
 * What the server counted is gone if all of it was read; else how much of it was, the server knows.
 *
 * @param {Place} place
 * @param {number} read
 * @returns {Place}
 */
function raised(place, read) {
  const all = read >= place.head;
  return {
    ...place,
    read,
    unread: all ? 0 : place.unread,
    mentions: all ? 0 : place.mentions,
    news: place.news.filter(({ offset }) => offset > read),
  };
}

/** @param {unknown} value */
function count(value) {
  return typeof value === 'number' && value > 0 ? value : 0;
}

/** @param {Places} places @param {string} channel @param {Place} place @returns {Places} */
function withPlace(places, channel, place) {
  return new Map(places).set(channel, place);
}
