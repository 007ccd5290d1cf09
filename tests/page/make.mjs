// Entries, publications and rooms for the tests.

import { EMPTY_ROOM, reduceRoom } from '../../web/static/room.js';

export const ME = 'guest-me';
export const ADA = { user: 'guest-ada', client: 'connection-ada', connInfo: { name: 'Ada' } };
export const BOB = { user: 'guest-bob', client: 'connection-bob', connInfo: { name: 'Bob' } };
export const MYSELF = { user: ME, client: 'connection-me', connInfo: { name: 'Me' } };

export function entry(offset, fields = {}) {
  const text = fields.text ?? `message ${offset}`;
  return {
    offset,
    user: ADA.user,
    name: 'Ada',
    key: '',
    time: offset * 1000,
    data: { type: 'message', text },
    text,
    kind: 'message',
    reply: null,
    mentions: {},
    changed: null,
    reactions: {},
    asOf: offset,
    ...fields,
  };
}

export function publication(
  offset,
  { info = ADA, key = `key-${offset}`, text = `message ${offset}` } = {},
) {
  return { offset, info, data: { type: 'message', key, text, time: offset * 1000 } };
}

/** The publications of changes, by Ada where it does not matter who makes them. */
export function edit(offset, target, text, info = ADA) {
  return { offset, info, data: { type: 'edit', target, text, time: offset * 1000 } };
}
export function deletion(offset, target, info = ADA) {
  return { offset, info, data: { type: 'delete', target, time: offset * 1000 } };
}
export function reaction(offset, target, emoji, { on = true, info = ADA } = {}) {
  return { offset, info, data: { type: 'reaction', target, emoji, on, time: offset * 1000 } };
}

/** A message as rpc `messages` tells it. */
export function current({ offset, data, info }, changes = {}) {
  const { user, client, connInfo } = info;
  return {
    offset,
    data,
    info: { user, client, conn_info: connInfo },
    time: offset * 1000,
    ...changes,
  };
}

/** An answer of rpc `messages` for the position `top`, for a room in which nothing was changed. */
export function page(publications, top, { epoch = 'e', complete = false, end = true } = {}) {
  const messages = publications.map((publication) => current(publication));
  return { messages, offset: top, epoch, complete, end };
}

/** The newest `limit` of 1..top. */
export function newest(top, limit = top, each = publication) {
  const count = Math.min(limit, top);
  const publications = Array.from({ length: count }, (_, index) => each(top - count + 1 + index));
  return page(publications, top, { complete: count === top });
}

export const identified = { type: 'identified', user: ME, name: 'Me' };
export const subscribed = (offset, fields = {}) => ({
  type: 'subscribed',
  epoch: 'e',
  offset,
  recovered: false,
  ...fields,
});
export const published = (pub, now = 0) => ({ type: 'published', publication: pub, now });
export const loaded = (...pages) => ({ type: 'messagesLoaded', pages });

export function run(events, room = EMPTY_ROOM) {
  return events.reduce(reduceRoom, room);
}

export function roomAt(top, limit = top) {
  return run([identified, subscribed(top), loaded(newest(top, limit))]);
}

/** What the reader sees of messages. */
export function view({ log, unsent }) {
  return {
    log: log.map(({ asOf: _, ...shown }) => shown),
    unsent: unsent.map(({ key, state }) => `${key} ${state}`),
  };
}

export function offsets(room) {
  return room.log.map(({ offset }) => offset);
}

export function texts(room) {
  return room.log.map(({ kind, text }) => (kind === 'deleted' ? '-' : text));
}

export function* permutations(items) {
  if (items.length < 2) yield items;
  for (const [index, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [item, ...rest];
  }
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
