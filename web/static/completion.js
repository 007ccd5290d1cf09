// @ts-check
/** What is being named at the caret, ":tad" or "@ad", and what could be meant: pure functions. */

import { searchEmoji } from './emoji.js';

/** @import { Group } from './emoji.js' */
/** @import { Mentions } from './log.js' */

/**
 * @typedef {{ user: string, name: string }} Person
 * @typedef {{ kind: 'emoji' | 'person', start: number, end: number, query: string }} Naming from
 *   the sign to the caret
 * @typedef {object} Option
 * @property {string} id
 * @property {string} sign the emoji; '' of a person
 * @property {string} label
 * @property {string} text what takes the place of what was typed
 * @property {Person | null} person
 */

const MOST_OPTIONS = 8;
const MOST_MENTIONS = 20;
const LONGEST_QUERY = 40;

const EMOJI = /(?:^|[^\p{L}\p{N}:/])(:([a-z0-9_+-]{2,40}))$/iu;
const CLOSED = /(?:^|[^\p{L}\p{N}:/])(:([a-z0-9_+-]{1,40}):)$/iu;
const WORD = /[\p{L}\p{N}_]/u;

/** @param {string} text @param {number} caret @returns {Naming | null} */
export function namingAt(text, caret) {
  const before = text.slice(0, caret);
  const [, typed = '', query = ''] = EMOJI.exec(before.slice(-LONGEST_QUERY - 2)) ?? [];
  if (typed) return { kind: 'emoji', start: caret - typed.length, end: caret, query };
  const start = before.lastIndexOf('@');
  if (start < 0 || caret - start > LONGEST_QUERY || WORD.test(text[start - 1] ?? '')) return null;
  const name = before.slice(start + 1);
  // A name may have a space in it, but somebody who goes on to write does not name anybody.
  if (/\n|^\s|\s\S*\s/.test(name)) return null;
  return { kind: 'person', start, end: caret, query: name };
}

/** The shortcode that was just closed with a colon. @param {string} text @param {number} caret */
export function closedShortcode(text, caret) {
  const [, typed = '', shortcode = ''] =
    CLOSED.exec(text.slice(Math.max(0, caret - LONGEST_QUERY - 3), caret)) ?? [];
  return typed ? { start: caret - typed.length, end: caret, shortcode: shortcode.toLowerCase() } : null;
}

/** @param {readonly Group[]} groups @param {string} query @returns {Option[]} */
export function emojiOptions(groups, query) {
  return searchEmoji(groups, query, MOST_OPTIONS).map(({ emoji, shortcodes }) => ({
    id: emoji,
    sign: emoji,
    label: `:${shortcodes[0] ?? ''}:`,
    text: `${emoji} `,
    person: null,
  }));
}

/**
 * Those whose name, or a word in it, begins so.
 *
 * @param {readonly Person[]} people
 * @param {string} query
 * @returns {Option[]}
 */
export function personOptions(people, query) {
  const wanted = query.toLocaleLowerCase();
  /** @param {Person} person */
  const isMeant = ({ name }) => {
    const lower = name.toLocaleLowerCase();
    const words = lower.split(/[^\p{L}\p{N}]+/u);
    return lower.startsWith(wanted) || words.some((word) => word.startsWith(wanted));
  };
  return people
    .filter(isMeant)
    .slice(0, MOST_OPTIONS)
    .map((person) => ({
      id: person.user,
      sign: '',
      label: person.name,
      text: `@${person.name} `,
      person,
    }));
}

/**
 * Whom a text mentions: those who were chosen and are still named in it, then whoever else's name
 * stands in it after an "@". Of two with one name, the one who was chosen.
 *
 * @param {string} text
 * @param {Mentions} chosen
 * @param {readonly Person[]} people
 * @returns {Mentions}
 */
export function mentionsIn(text, chosen, people) {
  const candidates = [
    ...Object.entries(chosen).map(([user, name]) => ({ user, name })),
    ...[...people].sort((a, b) => b.name.length - a.name.length),
  ];
  /** @type {Map<string, string>} user by name */
  const named = new Map();
  for (const { user, name } of candidates) {
    if (!named.has(name) && names(text, name, [...named.keys()])) named.set(name, user);
  }
  return Object.fromEntries([...named].slice(0, MOST_MENTIONS).map(([name, user]) => [user, name]));
}

/**
 * Whether "@name" stands in the text, and not only as the beginning of a longer one that is known.
 *
 * @param {string} text
 * @param {string} name
 * @param {readonly string[]} longer
 */
function names(text, name, longer) {
  for (let at = text.indexOf(`@${name}`); at >= 0; at = text.indexOf(`@${name}`, at + 1)) {
    const isLonger = longer.some((other) => text.startsWith(`@${other}`, at) && other !== name);
    if (!isLonger && isWhole(text, at, name)) return true;
  }
  return false;
}

/**
 * Whether the "@name" at a place is a mention rather than a part of a word or an address.
 *
 * @param {string} text
 * @param {number} at
 * @param {string} name
 */
export function isWhole(text, at, name) {
  if (!text.startsWith(`@${name}`, at)) return false;
  if (WORD.test(text[at - 1] ?? '')) return false;
  const last = name.at(-1) ?? '';
  return !WORD.test(last) || !WORD.test(String.fromCodePoint(text.codePointAt(at + name.length + 1) ?? 32));
}
