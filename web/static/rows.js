// @ts-check
/** The timeline, row by row: days, messages grouped by author, then what is not sent yet. */

import { filesOf } from './attachments.js';
import { shownLog } from './own-changes.js';
import { quoteOf } from './quotes.js';

/** @import { Entry, Mentions, Reactions } from './log.js' */
/** @import { OwnChange } from './own-changes.js' */
/** @import { Quote, Quotes } from './quotes.js' */
/** @import { Unsent } from './room.js' */

/**
 * @typedef {object} MessageRow
 * @property {'message'} type
 * @property {string} key
 * @property {number | null} offset
 * @property {'sent' | 'pending' | 'failed'} state
 * @property {boolean} starts the first of a group: shows author and avatar
 * @property {boolean} mine
 * @property {string} user
 * @property {string} name
 * @property {number | null} time
 * @property {string} text
 * @property {Entry['kind']} kind
 * @property {readonly import('./attachments.js').Attachment[]} files
 * @property {number | null} changed
 * @property {Reactions} reactions
 * @property {Mentions} mentions
 * @property {boolean} calls it mentions us
 * @property {number | null} reply
 * @property {Quote} quote what it answers
 * @property {OwnChange | null} refused a change of ours to it that the server did not take
 * @property {string} sendKey
 * @property {string} problem
 *
 * @typedef {{ type: 'day', key: string, time: number }} DayRow
 * @typedef {{ type: 'new', key: string }} NewRow what comes after it was new
 * @typedef {MessageRow | DayRow | NewRow} Row
 * @typedef {object} Sources
 * @property {readonly string[]} selves
 * @property {string} selfName
 * @property {readonly Entry[]} log
 * @property {readonly Unsent[]} unsent
 * @property {boolean} atEnd what is not sent yet comes after the newest message, or nowhere
 * @property {number | null} divider
 * @property {readonly OwnChange[]} changes
 * @property {Quotes} quotes
 */

const GROUP_LASTS_MS = 5 * 60 * 1000;

/** @type {Reactions} */
const NONE = {};

/** @type {readonly import('./attachments.js').Attachment[]} */
const NO_FILES = [];

/**
 * The files of a message, the same list as long as its data is the same: Preact skips what it knows.
 *
 * @type {WeakMap<object, readonly import('./attachments.js').Attachment[]>}
 */
const known = new WeakMap();

/** @param {any} data */
function filesAt(data) {
  if (!data?.files) return NO_FILES;
  let files = known.get(data);
  if (!files) {
    files = filesOf(data);
    known.set(data, files);
  }
  return files;
}

/** @param {Sources} room @returns {Row[]} */
export function rowsOf(room) {
  const { selves, selfName, unsent, quotes, atEnd, divider } = room;
  const log = shownLog(room);
  const refusals = new Map(
    room.changes
      .filter(({ state }) => state === 'failed')
      .map((change) => [change.wish.target, change]),
  );
  const mine = new Set(selves);
  const self = selves.at(-1) ?? '';
  /** @type {Row[]} */
  const rows = [];
  let isDivided = divider === null;
  /** @type {MessageRow | undefined} */
  let previous;
  let today = '';

  /** @param {Omit<MessageRow, 'type' | 'starts'>} message */
  const add = (message) => {
    const day = message.time === null ? today : new Date(message.time).toDateString();
    if (message.time !== null && day !== today) {
      rows.push({ type: 'day', key: `day-${message.key}`, time: message.time });
      previous = undefined;
      today = day;
    }
    if (!isDivided && !message.mine && message.offset !== null && message.offset > (divider ?? 0)) {
      rows.push({ type: 'new', key: 'new' });
      previous = undefined;
      isDivided = true;
    }
    /** @type {MessageRow} */
    const row = { type: 'message', starts: !previous || !continues(previous, message), ...message };
    rows.push(row);
    previous = row;
  };

  /** @param {number | null} reply */
  const quote = (reply) => (reply === null ? null : quoteOf({ quotes }, log, reply));

  for (const { key, asOf: _asOf, data, ...entry } of log) {
    const { offset, user, mentions, reply } = entry;
    add({
      ...entry,
      key: `offset-${offset}`,
      state: 'sent',
      mine: mine.has(user),
      calls: !mine.has(user) && Object.keys(mentions).some((one) => mine.has(one)),
      quote: quote(reply),
      refused: refusals.get(offset) ?? null,
      files: filesAt(data),
      sendKey: key,
      problem: '',
    });
  }
  for (const { key, text, reply, mentions, files, time, state, problem } of atEnd ? unsent : []) {
    add({
      key: `unsent-${key}`,
      offset: null,
      state,
      mine: true,
      user: self,
      name: selfName,
      time,
      text,
      kind: 'message',
      files: files ?? NO_FILES,
      changed: null,
      reactions: NONE,
      mentions,
      calls: false,
      reply,
      quote: quote(reply),
      refused: null,
      sendKey: key,
      problem,
    });
  }
  return rows;
}

/** @param {MessageRow} previous @param {Omit<MessageRow, 'type' | 'starts'>} next */
function continues(previous, next) {
  const sameAuthor = previous.user === next.user || (previous.mine && next.mine);
  if (!sameAuthor || previous.name !== next.name) return false;
  if (previous.time === null || next.time === null) return previous.time === next.time;
  return Math.abs(next.time - previous.time) < GROUP_LASTS_MS;
}
