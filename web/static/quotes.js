// @ts-check
/**
 * Messages that others answer and that the log does not reach: read one by one, and kept as they
 * stand. Pure functions.
 */

import { find, withChange } from './log.js';
import { changeOf } from './publication.js';

/** @import { Entry } from './log.js' */
/** @import { Stored } from './publication.js' */
/** @import { Room } from './room.js' */

/**
 * @typedef {Entry | null | undefined} Quote null: the server has it no more; undefined: not read yet
 * @typedef {ReadonlyMap<number, Quote>} Quotes by offset; one that is wanted is in it as undefined
 *
 * @typedef {{ type: 'quoteWanted', offset: number }
 *   | { type: 'quoteRead', offset: number, entry: Entry | null, epoch?: string }} QuoteEvent
 *   `epoch`: of the log that `entry` was read in
 */

/** The oldest goes. More than one sees at a time, or those in sight would be read in turn for ever. */
const MOST_QUOTES = 1000;

/** @param {Room} room @param {QuoteEvent} event @returns {Room} */
export function reduceQuotes(room, event) {
  const { offset } = event;
  if (event.type === 'quoteRead') {
    if (!room.quotes.has(offset)) return room; // forgotten meanwhile
    const { entry, epoch } = event;
    const isOld = entry && (epoch !== room.epoch || entry.asOf < room.quotesFrom);
    if (isOld) return room; // it changed while it was read: wanted still
    return { ...room, quotes: new Map(room.quotes).set(offset, entry) };
  }
  if (room.quotes.has(offset)) return room;
  const kept = [...room.quotes].slice(1 - MOST_QUOTES);
  return { ...room, quotes: new Map(kept).set(offset, undefined) };
}

/** @param {Pick<Room, 'quotes'>} room @param {readonly Entry[]} log @param {number} offset @returns {Quote} */
export function quoteOf({ quotes }, log, offset) {
  return find(log, offset) ?? quotes.get(offset);
}

/** The next one to read. @param {Room} room */
export function nextQuote({ quotes }) {
  for (const [offset, quote] of quotes) if (quote === undefined) return offset;
  return undefined;
}

/** They may have changed while nobody told us. What waits to be read is wanted still. @param {Room} room @returns {Room} */
export function forgotten(room) {
  if (room.quotes.size === 0) return room;
  const wanted = [...room.quotes].filter(([, quote]) => quote === undefined);
  return { ...room, quotes: new Map(wanted), quotesFrom: room.position };
}

/** @param {Room} room @param {Stored} publication @returns {Room} */
export function published(room, publication) {
  const change = changeOf(publication);
  if (!change || !room.quotes.has(change.target)) return room;
  const quote = room.quotes.get(change.target);
  if (quote === undefined) return { ...room, quotesFrom: change.offset };
  if (quote === null) return room;
  const [entry] = withChange([quote], change);
  return { ...room, quotes: new Map(room.quotes).set(quote.offset, entry) };
}
