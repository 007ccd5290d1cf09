// @ts-check
/**
 * How pages of messages and what comes live make a room's log: pure functions. Replies,
 * publications and resumes may come in any order and more than once; the same entries end in the
 * same log.
 *
 * The log holds every message from `floor` on, as it stands at `position` (or later: see `asOf`).
 * Publications are let in one by one, in the order of their offsets: those up to `position` are in
 * the log already, those after a gap wait in `held`. While the room is not `synced` (before the
 * first page, or after a resume that the server could not fill) all wait, and what the log shows
 * stays until a page takes its place.
 */

import { withChange } from './log.js';
import { changeOf, currentEntry, entryOf } from './publication.js';

/** @import { Entry } from './log.js' */
/** @import { CurrentMessage, Stored } from './publication.js' */
/** @import { Room } from './room.js' */

/**
 * @typedef {object} Page messages in the order of their offsets
 * @property {readonly CurrentMessage[]} messages
 * @property {number} offset with `epoch`: the position at which this is how they stand
 * @property {string} epoch
 * @property {boolean} complete the server has none before these
 */

/** The oldest goes. The gap that this makes is closed as any other: by a page. */
const MOST_HELD = 1000;

/** Whether the log shows all that came. @param {Room} room */
export function isCurrent({ synced, held }) {
  return synced && held.length === 0;
}

/** Whether "load older" has something to do. @param {Room} room */
export function hasOlder({ loaded, complete, floor }) {
  return loaded && !complete && floor > 1;
}

/**
 * @param {Room} room
 * @param {{ epoch: string, offset: number, recovered: boolean }} event
 * @returns {Room}
 */
export function subscribed(room, { epoch, offset, recovered }) {
  if (recovered) return room;
  if (room.synced && epoch === room.epoch && offset === room.position) return room;
  return { ...room, epoch, since: offset, synced: false, held: [], older: '', missed: [] };
}

/** @param {Room} room @param {Stored} publication @returns {Room} */
export function published(room, publication) {
  return letIn({ ...room, held: hold(room.held, publication) });
}

/**
 * @param {Room} room
 * @param {readonly [Page, ...Page[]]} pages the newest first, each joined to the one before
 * @returns {Room}
 */
export function loaded(room, pages) {
  const [{ offset, epoch }] = pages;
  // From before the subscribe: publications between the page and the live stream would be missing.
  if (epoch !== room.epoch || offset < room.since) return room;
  if (room.synced && offset <= room.position) return room;
  const log = [...pages].reverse().flatMap(entriesOf);
  return letIn({
    ...room,
    log,
    floor: log[0]?.offset ?? offset + 1,
    position: offset,
    synced: true,
    loaded: true,
    complete: pages.at(-1)?.complete ?? false,
    older: '',
    missed: [],
  });
}

/** The server gives no messages: the room begins with what comes live. @param {Room} room */
export function unavailable(room) {
  const { since } = room;
  return letIn({
    ...room,
    log: [],
    floor: since + 1,
    position: since,
    synced: true,
    loaded: true,
    complete: true,
  });
}

/** @param {Room} room @param {{ page: Page, before: number }} event @returns {Room} */
export function olderLoaded(room, { page, before }) {
  if (room.older !== 'loading') return room;
  const next = /** @type {Room} */ ({ ...room, older: '', missed: [] });
  // Reloaded or trimmed meanwhile.
  if (room.floor !== before || page.epoch !== room.epoch) return next;
  const older = room.missed.reduce(withChange, entriesOf(page));
  return {
    ...next,
    log: [...older, ...room.log],
    floor: older[0]?.offset ?? room.floor,
    complete: page.complete,
  };
}

/** @param {Room} room @param {number} keep @returns {Room} */
export function trimmed(room, keep) {
  if (room.log.length <= keep) return room;
  const log = room.log.slice(-keep);
  return { ...room, log, floor: log[0]?.offset ?? room.floor, complete: false };
}

/** @param {Page} page @returns {readonly Entry[]} */
function entriesOf({ messages, offset }) {
  return messages.map((message) => currentEntry(message, offset));
}

/** @param {readonly Stored[]} held @param {Stored} publication @returns {readonly Stored[]} */
function hold(held, publication) {
  if (held.some(({ offset }) => offset === publication.offset)) return held;
  return [...held, publication].sort((a, b) => a.offset - b.offset).slice(-MOST_HELD);
}

/** Lets in what joins up with the log. @param {Room} room @returns {Room} */
function letIn(room) {
  if (!room.synced) return room;
  let next = room;
  let held = room.held.filter(({ offset }) => offset > room.position);
  for (const publication of held) {
    if (publication.offset !== next.position + 1) break;
    next = add(next, publication);
  }
  held = held.filter(({ offset }) => offset > next.position);
  return { ...next, held };
}

/** @param {Room} room @param {Stored} publication the next one @returns {Room} */
function add(room, publication) {
  const next = { ...room, position: publication.offset };
  const change = changeOf(publication);
  if (!change) return { ...next, log: [...room.log, entryOf(publication)] };
  if (change.target >= room.floor) return { ...next, log: withChange(room.log, change) };
  // Its message is not loaded, but may be in a page that was asked for and does not know of it.
  return room.older === 'loading' ? { ...next, missed: [...room.missed, change] } : next;
}
