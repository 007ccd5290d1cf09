// Entries, publications and rooms for the tests.

import { EMPTY_ROOM, reduceRoom } from '../../web/static/room.js';

export const ME = 'guest-me';
export const ADA = { user: 'guest-ada', client: 'connection-ada', connInfo: { name: 'Ada' } };
export const MYSELF = { user: ME, client: 'connection-me', connInfo: { name: 'Me' } };

export function entry(offset, fields = {}) {
  return {
    offset,
    user: ADA.user,
    name: 'Ada',
    key: '',
    time: offset * 1000,
    text: `message ${offset}`,
    kind: 'message',
    provisional: false,
    ...fields,
  };
}

export function publication(
  offset,
  { info = ADA, key = `key-${offset}`, text = `message ${offset}` } = {},
) {
  return { offset, info, data: { type: 'message', key, text, time: offset * 1000 } };
}

/** A history reply: the newest `limit` of 1..top, newest first. */
export function page(top, limit = top, each = publication) {
  const publications = Array.from({ length: Math.min(limit, top) }, (_, index) =>
    each(top - index),
  );
  return { type: 'historyLoaded', publications, epoch: 'e', offset: top };
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

export function run(events, room = EMPTY_ROOM) {
  return events.reduce(reduceRoom, room);
}

export function roomAt(top, limit = top) {
  return run([identified, subscribed(top), page(top, limit)]);
}

/** What the reader sees of messages. */
export function view({ log, unsent }) {
  return {
    log: log.map(({ offset, text }) => `${offset} ${text}`),
    unsent: unsent.map(({ key, state }) => `${key} ${state}`),
  };
}

export function offsets(room) {
  return room.log.map(({ offset }) => offset);
}

export function* permutations(items) {
  if (items.length < 2) yield items;
  for (const [index, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [item, ...rest];
  }
}
