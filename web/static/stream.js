// @ts-check
/**
 * How pages of messages and what comes live make a room's log: pure functions. Replies,
 * publications and resumes may come in any order and more than once; the same entries end in the
 * same log.
 *
 * The log is a window: it holds every message from `floor` to `ceiling`, as it stands at `position`
 * (or later: see `asOf`). Publications are let in one by one, in the order of their offsets: those
 * up to `position` are in already, those after a gap wait in `held`. While the window is `atEnd`, a
 * new message makes it longer; else it lies beyond, and is not shown until the window gets there.
 *
 * While the room is not `synced` (before the first page, after a resume that the server could not
 * fill, while a jump loads) all publications wait, and what the log shows stays until pages take
 * its place.
 */

import { withChange } from './log.js';
import { changeOf, currentEntry, entryOf, topicIn } from './publication.js';

/** @import { Entry } from './log.js' */
/** @import { CurrentMessage, Stored } from './publication.js' */
/** @import { Room } from './room.js' */

/**
 * @typedef {object} Page messages in the order of their offsets
 * @property {readonly CurrentMessage[]} messages
 * @property {number} offset with `epoch`: the position at which this is how they stand
 * @property {string} epoch
 * @property {boolean} complete the server has none before these
 * @property {boolean} end there were none after these at `offset`
 */

/** The oldest goes. The gap that this makes is closed as any other: by a page. */
const MOST_HELD = 1000;
/** The oldest goes. They are read aloud, and shown by a page when the window gets there. */
const MOST_BEYOND = 100;
/** A window at its end that grows is cut when it is so much too long, rather than at each message. */
const SLACK = 1.25;

/** Whether nothing is missing of what came. @param {Room} room */
export function isCurrent({ synced, held }) {
  return synced && held.length === 0;
}

/** Whether loading older messages has something to do. @param {Room} room */
export function hasOlder({ loaded, complete, floor }) {
  return loaded && !complete && floor > 1;
}

/** Whether loading newer messages has something to do. @param {Room} room */
export function hasNewer({ loaded, atEnd }) {
  return loaded && !atEnd;
}

/** Whether a message would be in the log if there is one at this offset. @param {Room} room @param {number} offset */
export function covers({ loaded, floor, ceiling }, offset) {
  return loaded && offset >= floor && offset <= ceiling;
}

/**
 * @param {Room} room
 * @param {{ epoch: string, offset: number, recovered: boolean }} event
 * @returns {Room}
 */
export function subscribed(room, { epoch, offset, recovered }) {
  if (recovered) return { ...room, older: again(room.older), newer: again(room.newer) };
  if (room.synced && epoch === room.epoch && offset === room.position) return room;
  return { ...idle(room), epoch, since: offset, synced: false, held: [] };
}

/** Pages from elsewhere are about to take the window's place. @param {Room} room @returns {Room} */
export function moved(room) {
  return room.synced ? { ...idle(room), since: room.position, synced: false } : room;
}

/** @param {Room} room @param {Stored} publication @returns {Room} */
export function published(room, publication) {
  return letIn({ ...room, held: hold(room.held, publication) });
}

/**
 * @param {Room} room
 * @param {readonly [Page, ...Page[]]} pages the newest messages first, each joined to the one before
 * @returns {Room}
 */
export function loaded(room, pages) {
  const [{ epoch, end }] = pages;
  const offset = Math.min(...pages.map((page) => page.offset));
  // From before the subscribe: publications between the pages and the live stream would be missing.
  if (pages.some((page) => page.epoch !== room.epoch) || offset < room.since) return room;
  if (room.synced && offset <= room.position) return room;
  const log = [...pages].reverse().flatMap(entriesOf);
  const top = log.at(-1)?.offset ?? 0;
  return letIn({
    ...idle(room),
    epoch,
    log,
    floor: log[0]?.offset ?? offset + 1,
    ceiling: end ? Math.max(top, pages[0].offset) : top,
    atEnd: end,
    position: offset,
    synced: true,
    loaded: true,
    complete: pages.at(-1)?.complete ?? false,
  });
}

/**
 * The room goes on from here with what comes live.
 *
 * @param {Room} room
 * @param {boolean} complete whether the server has nothing to load before that, or just nobody looks
 * @returns {Room}
 */
export function begun(room, complete) {
  // Over a gap, if there is one: nobody looks at what was in it.
  const position = room.synced ? (room.held.at(-1)?.offset ?? room.position) : room.since;
  return letIn({
    ...idle(room),
    log: [],
    floor: position + 1,
    ceiling: position,
    atEnd: true,
    position,
    synced: true,
    loaded: true,
    complete,
  });
}

/** @param {Room} room @param {{ page: Page, before: number }} event @returns {Room} */
export function olderLoaded(room, { page, before }) {
  if (room.older !== 'loading') return room;
  const next = rested({ ...room, older: '' });
  if (room.floor !== before || !joins(room, page)) return next; // reloaded or cut meanwhile
  const older = changesOf(room.missed).reduce(withChange, entriesOf(page));
  const log = [...older, ...room.log];
  return cutBelow({
    ...next,
    log,
    floor: older[0]?.offset ?? room.floor,
    complete: page.complete,
  });
}

/** @param {Room} room @param {{ page: Page, after: number }} event @returns {Room} */
export function newerLoaded(room, { page, after }) {
  if (room.newer !== 'loading') return room;
  const next = rested({ ...room, newer: '' });
  if (room.atEnd || room.ceiling !== after || !joins(room, page)) return next;
  const newer = changesOf(room.missed).reduce(withChange, entriesOf(page));
  const top = newer.at(-1)?.offset ?? after;
  const ceiling = page.end ? Math.max(top, page.offset) : top;
  const log = [...room.log, ...newer];
  const joined = cutAbove({ ...next, log, ceiling, atEnd: page.end }, room.most);
  if (!page.end) return joined;
  // What was said since the page is at hand; changes of what is in the window are made already.
  const since = room.missed.filter((each) => (changeOf(each)?.target ?? each.offset) > ceiling);
  return since.reduce(shown, joined);
}

/**
 * Whether somebody reads the window, or only its newest messages are kept.
 *
 * @param {Room} room
 * @param {number} most messages in the window from now on
 * @returns {Room}
 */
export function resized(room, most) {
  const next = { ...room, most };
  if (room.log.length <= most) return next;
  if (!room.synced || !room.atEnd) return next;
  return cutAbove(next, most);
}

/** What failed may be tried again. @param {Room['older']} state @returns {Room['older']} */
function again(state) {
  return state === 'failed' ? '' : state;
}

/** @param {Room} room @returns {Room} of which nothing is being loaded */
function idle(room) {
  return { ...room, older: '', newer: '', missed: [], beyond: [] };
}

/**
 * Whether a page and what was missed have everything between them. An answer to an earlier question,
 * which is not waited for any more, may be too old.
 *
 * @param {Room} room
 * @param {Page} page
 */
function joins({ epoch, missed, position }, page) {
  return page.epoch === epoch && page.offset >= (missed[0]?.offset ?? position + 1) - 1;
}

/** Forgets what was missed once nobody waits for it. @param {Room} room @returns {Room} */
export function rested(room) {
  return room.older === 'loading' || room.newer === 'loading' ? room : { ...room, missed: [] };
}

/** The newest messages go, so that as many are left as there may be. @param {Room} room @returns {Room} */
function cutBelow(room) {
  if (room.log.length <= room.most) return room;
  const log = room.log.slice(0, room.most);
  return {
    ...rested({ ...room, newer: room.newer === 'loading' ? '' : room.newer }),
    log,
    ceiling: log.at(-1)?.offset ?? room.ceiling,
    atEnd: false,
  };
}

/** The oldest messages go. @param {Room} room @param {number} keep @returns {Room} */
function cutAbove(room, keep) {
  if (room.log.length <= keep) return room;
  const log = room.log.slice(-keep);
  return { ...room, log, floor: log[0]?.offset ?? room.floor, complete: false };
}

/** What others have said, and still stands. @param {Room} room @param {Entry} entry */
export function isNews({ selves }, { kind, user }) {
  return kind !== 'deleted' && !selves.includes(user);
}

/**
 * What others have said after `offset`, in the window or beyond it.
 *
 * @param {Room} room
 * @param {number} offset
 */
export function newSince(room, offset) {
  const beyond = room.beyond.filter((entry) => entry.offset > room.ceiling);
  return [...room.log, ...beyond].filter((entry) => entry.offset > offset && isNews(room, entry));
}

/** @param {Page} page @returns {readonly Entry[]} */
function entriesOf({ messages, offset }) {
  return messages.map((message) => currentEntry(message, offset));
}

/** @param {readonly Stored[]} publications */
function changesOf(publications) {
  return publications.map(changeOf).filter((change) => change !== null);
}

/** @param {readonly Stored[]} held @param {Stored} publication @returns {readonly Stored[]} */
function hold(held, publication) {
  if (held.some(({ offset }) => offset === publication.offset)) return held;
  return [...held, publication].sort((a, b) => a.offset - b.offset).slice(-MOST_HELD);
}

/** Lets in what joins up. @param {Room} room @returns {Room} */
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
  const next = shown({ ...room, position: publication.offset }, publication);
  if (room.older !== 'loading' && room.newer !== 'loading') return next;
  // A page that was asked for may not know of it.
  if (room.missed.length < MOST_HELD) return { ...next, missed: [...room.missed, publication] };
  const failed = (/** @type {Room['older']} */ state) => (state === 'loading' ? 'failed' : state);
  return { ...next, older: failed(room.older), newer: failed(room.newer), missed: [] };
}

/** @param {readonly Entry[]} beyond @param {Stored} publication @returns {readonly Entry[]} */
function further(beyond, publication) {
  if ((beyond.at(-1)?.offset ?? 0) >= publication.offset) return beyond;
  return [...beyond, entryOf(publication)].slice(-MOST_BEYOND);
}

/** Shows what belongs into the window. @param {Room} room @param {Stored} publication @returns {Room} */
function shown(room, publication) {
  const change = changeOf(publication);
  if (change) return { ...room, log: withChange(room.log, change) };
  const { offset } = publication;
  if (topicIn(publication) !== null) return room; // it stands above the messages, not among them
  if (offset <= room.ceiling) return room; // a page that is newer than the position had it
  const isFull = room.isReading && room.log.length >= room.most;
  if (!room.atEnd || isFull) return { ...room, atEnd: false, beyond: further(room.beyond, publication) };
  const longer = { ...room, log: [...room.log, entryOf(publication)], ceiling: offset };
  return longer.log.length > room.most * SLACK ? cutAbove(longer, room.most) : longer;
}
