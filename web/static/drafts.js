// @ts-check
/**
 * What is being written, by room: pure functions, and its form in the browser's storage. While a
 * message is edited, what had been written before is kept aside.
 */

/** @import { Entry, Mentions } from './log.js' */

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {Mentions} mentions whom one chose to mention, in the text or not any more
 * @property {number | null} reply offset of the message that is answered
 * @property {number | null} edit offset of the message that is edited
 * @property {string} aside the text that stood there before the edit
 *
 * @typedef {ReadonlyMap<string, Draft>} Drafts by channel
 */

/** The oldest goes. */
const MOST_DRAFTS = 50;
const LONGEST_DRAFT = 8000;

/** @type {Draft} */
export const EMPTY_DRAFT = { text: '', mentions: {}, reply: null, edit: null, aside: '' };

/** @param {Draft} draft @param {string} text @returns {Draft} */
export function typed(draft, text) {
  return { ...draft, text, mentions: text ? draft.mentions : {} };
}

/** @param {Draft} draft @param {{ user: string, name: string }} person @returns {Draft} */
export function mentioning(draft, { user, name }) {
  return { ...draft, mentions: { ...draft.mentions, [user]: name } };
}

/** @param {Draft} draft @param {number} offset @returns {Draft} */
export function replying(draft, offset) {
  return { ...cancelled(draft), reply: offset };
}

/** @param {Draft} draft @param {Pick<Entry, 'offset' | 'text'>} entry @returns {Draft} */
export function editing(draft, { offset, text }) {
  const { text: aside, reply } = draft.edit === null ? draft : cancelled(draft);
  return { ...EMPTY_DRAFT, text, reply, edit: offset, aside };
}

/** Ends the edit, with the text that stood there before; or else the reply. @param {Draft} draft */
export function cancelled(draft) {
  if (draft.edit !== null) return { ...draft, text: draft.aside, edit: null, aside: '' };
  return { ...draft, reply: null };
}

/** @param {Drafts} drafts @param {string} channel @param {Draft} draft @returns {Drafts} */
export function withDraft(drafts, channel, draft) {
  const next = new Map(drafts);
  next.delete(channel);
  const isEmpty = !draft.text && draft.reply === null && draft.edit === null;
  if (!isEmpty) next.set(channel, draft);
  return new Map([...next].slice(-MOST_DRAFTS));
}

/**
 * What is stored once this tab's changes are: other tabs keep what they have written since. A draft
 * that ended here ends there, unless another tab has written another one.
 *
 * @param {Drafts} stored by whatever tab
 * @param {Drafts} before what this tab stored last
 * @param {Drafts} now
 * @returns {Drafts}
 */
export function merged(stored, before, now) {
  let next = stored;
  for (const channel of new Set([...before.keys(), ...now.keys()])) {
    const [old, draft] = [before.get(channel), now.get(channel)];
    const isOurs = stored.get(channel)?.text === old?.text.slice(0, LONGEST_DRAFT);
    if (old !== draft && (draft || isOurs)) next = withDraft(next, channel, draft ?? EMPTY_DRAFT);
  }
  return next;
}

/** @param {Drafts} drafts */
export function toStored(drafts) {
  const cut = [...drafts].map(([channel, draft]) => [
    channel,
    {
      ...draft,
      text: draft.text.slice(0, LONGEST_DRAFT),
      aside: draft.aside.slice(0, LONGEST_DRAFT),
    },
  ]);
  return drafts.size > 0 ? JSON.stringify(cut) : '';
}

/** What was stored, as far as it is any. @param {string} stored @returns {Drafts} */
export function fromStored(stored) {
  try {
    /** @type {unknown} */
    const all = JSON.parse(stored);
    if (!Array.isArray(all)) return new Map();
    return new Map(all.slice(-MOST_DRAFTS).map(([channel, draft]) => [String(channel), draftOf(draft)]));
  } catch {
    return new Map(); // nothing, or nothing of ours
  }
}

/** @param {any} draft @returns {Draft} */
function draftOf({ text, mentions, reply, edit, aside }) {
  return {
    text: String(text ?? ''),
    mentions: mentions && typeof mentions === 'object' ? mentions : {},
    reply: Number.isSafeInteger(reply) ? reply : null,
    edit: Number.isSafeInteger(edit) ? edit : null,
    aside: String(aside ?? ''),
  };
}
