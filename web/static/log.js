// @ts-check
/**
 * The loaded part of a room's log: its messages by offset, each once, and what edits, deletions and
 * reactions make of them. Arrays and entries are never changed.
 */

/**
 * @typedef {Readonly<Record<string, readonly string[]>>} Reactions by emoji: users, as they came
 * @typedef {Readonly<Record<string, string>>} Mentions by user: the name as it stands after an "@"
 *
 * @typedef {object} Entry a message as it stands
 * @property {number} offset
 * @property {string} user
 * @property {string} name
 * @property {string} key the send key, '' where there is none
 * @property {number | null} time milliseconds since 1970
 * @property {any} data what was published, with the text as last edited; null if deleted
 * @property {string} text
 * @property {'message' | 'data' | 'deleted'} kind `data`: of another program, shown as JSON
 * @property {number | null} reply offset of the message that it answers
 * @property {Mentions} mentions
 * @property {number | null} changed when it was last edited, or deleted
 * @property {Reactions} reactions
 * @property {number} asOf changes up to this offset are in it
 *
 * @typedef {{ offset: number, target: number, user: string, time: number }} Origin
 * @typedef {Origin & { type: 'edit', text: string }} Edit
 * @typedef {Origin & { type: 'delete' }} Delete
 * @typedef {Origin & { type: 'reaction', emoji: string, on: boolean }} Reaction
 * @typedef {Edit | Delete | Reaction} Change `target` is the offset of the message
 */

const LONGEST_FALLBACK = 2000;
const MOST_MENTIONS = 20;
const LONGEST_NAME = 100;

/** @type {Mentions} */
const NOBODY = {};

/**
 * The log after a change. One that the message has in it already is not made again; one to a
 * message that is not here is nothing.
 *
 * @param {readonly Entry[]} log
 * @param {Change} change
 * @returns {readonly Entry[]}
 */
export function withChange(log, change) {
  const index = indexOf(log, change.target);
  const entry = log[index];
  if (!entry || change.offset <= entry.asOf) return log;
  const next = changed(entry, change);
  return next === entry ? log : [...log.slice(0, index), next, ...log.slice(index + 1)];
}

/**
 * How data is shown, which is a chat message or whatever a program published.
 *
 * @param {any} data
 * @returns {Pick<Entry, 'data' | 'text' | 'kind' | 'reply' | 'mentions'>}
 */
export function bodyOf(data) {
  const isMessage = data?.type === 'message' && typeof data.text === 'string';
  if (!isMessage) return { data, text: fallback(data), kind: 'data', reply: null, mentions: NOBODY };
  const { text, reply } = data;
  const isReply = Number.isSafeInteger(reply) && reply > 0;
  const mentions = mentionsOf(data.mentions);
  return { data, text, kind: 'message', reply: isReply ? reply : null, mentions };
}

/** What is left of a message that was deleted: where it stood, and who had said something there. */
export const DELETED = {
  key: '',
  data: null,
  text: '',
  kind: /** @type {const} */ ('deleted'),
  reply: null,
  mentions: NOBODY,
  reactions: {},
};

/** @param {Entry} entry @param {Change} change @returns {Entry} */
function changed(entry, change) {
  if (entry.kind === 'deleted') return entry;
  if (change.type === 'reaction') {
    return { ...entry, reactions: reacted(entry.reactions, change) };
  }
  // The author's, or a moderator's: the server has seen to that.
  if (change.type === 'delete') return { ...entry, ...DELETED, changed: change.time };
  // The server allows it to nobody else. Whoever publishes something that only looks like a change
  // shall not put words into another's mouth.
  if (change.user !== entry.user) return entry;
  if (typeof entry.data?.text !== 'string') return entry;
  return { ...entry, ...bodyOf({ ...entry.data, text: change.text }), changed: change.time };
}

/** @param {Reactions} reactions @param {Reaction} change @returns {Reactions} */
function reacted(reactions, { user, emoji, on }) {
  // An emoji may be any word, "constructor" too.
  const users = Object.hasOwn(reactions, emoji) ? (reactions[emoji] ?? []) : [];
  if (on === users.includes(user)) return reactions;
  const next = on ? [...users, user] : users.filter((other) => other !== user);
  if (next.length > 0) return { ...reactions, [emoji]: next };
  const { [emoji]: _none, ...others } = reactions;
  return others;
}

/** @param {readonly Entry[]} log @param {number} offset */
export function find(log, offset) {
  return log[indexOf(log, offset)];
}

/** @param {readonly Entry[]} log @param {number} offset @returns {number} -1 where there is none */
function indexOf(log, offset) {
  let low = 0;
  let high = log.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((log[middle]?.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return log[low]?.offset === offset ? low : -1;
}

/** @param {unknown} mentions @returns {Mentions} what of it is a mention */
function mentionsOf(mentions) {
  if (mentions === null || typeof mentions !== 'object' || Array.isArray(mentions)) return NOBODY;
  const named = Object.entries(mentions).filter(
    ([, name]) => typeof name === 'string' && name.trim() && name.length <= LONGEST_NAME,
  );
  return named.length > 0 ? Object.fromEntries(named.slice(0, MOST_MENTIONS)) : NOBODY;
}

/** @param {unknown} data */
function fallback(data) {
  const text = JSON.stringify(data) ?? '';
  return text.length > LONGEST_FALLBACK ? `${text.slice(0, LONGEST_FALLBACK)}…` : text;
}
