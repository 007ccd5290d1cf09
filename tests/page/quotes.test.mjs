import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextQuote, quoteOf } from '../../web/static/quotes.js';
import { rowsOf } from '../../web/static/rows.js';
import * as make from './make.mjs';

const { deletion, edit, entry, newest, published, roomAt, run } = make;

const start = roomAt(100, 10); // 91 to 100
const wanted = (offset) => ({ type: 'quoteWanted', offset });
/** The server's answer, as things stood at `asOf`. */
const read = (offset, found = entry(offset), asOf = 100, epoch = start.epoch) => ({
  type: 'quoteRead',
  offset,
  entry: found && { ...found, asOf },
  epoch,
});
const quote = (room, offset) => quoteOf(room, room.log, offset);

test('what the log has is not read', () => {
  assert.equal(quote(start, 95).text, 'message 95');
  assert.equal(quote(start, 5), undefined);
});

test('what is wanted is read, each once', () => {
  const room = run([wanted(5), wanted(7), wanted(5)], start);
  assert.equal(nextQuote(room), 5);

  const next = run([read(5)], room);

  assert.equal(quote(next, 5).text, 'message 5');
  assert.equal(nextQuote(next), 7);
});

test('what the server has no more is not asked for again', () => {
  const room = run([wanted(5), read(5, null), wanted(5)], start);

  assert.equal(quote(room, 5), null);
  assert.equal(nextQuote(room), undefined);
});

test('a quote changes with its message', () => {
  const quoted = run([wanted(5), read(5)], start);

  const edited = run([published(edit(101, 5, 'better'))], quoted);
  assert.equal(quote(edited, 5).text, 'better');
  assert.equal(quote(run([published(deletion(102, 5))], edited), 5).kind, 'deleted');
});

test('after a reload, and where a room goes on over a gap, they are read anew', () => {
  const quoted = run([wanted(5), read(5)], start);
  const reload = [make.subscribed(200), make.loaded(newest(200, 10))];

  for (const events of [reload, [{ type: 'begun' }]]) {
    assert.equal(quote(run(events, quoted), 5), undefined);
  }
  assert.equal(quote(run([...reload, read(5)], quoted), 5), undefined);
});

test('what is being read while the room is reloaded is wanted still', () => {
  const reload = [make.subscribed(200), make.loaded(newest(200, 10))];
  const room = run([wanted(5), ...reload, { type: 'messagesLoaded', pages: [newest(200, 10)] }], start);

  assert.equal(nextQuote(room), 5);
  assert.equal(quote(run([read(5, entry(5), 200)], room), 5).text, 'message 5');
});

test('what changes while it is read is read again, until the answer knows of the change', () => {
  for (const change of [edit(101, 5, 'better'), deletion(101, 5)]) {
    const room = run([wanted(5), published(change)], start);

    const early = run([read(5, entry(5), 100)], room);
    assert.equal(quote(early, 5), undefined);
    assert.equal(nextQuote(early), 5);

    const later = run([read(5, entry(5, { text: 'better' }), 101)], early);
    assert.equal(quote(later, 5).text, 'better');
    assert.equal(nextQuote(later), undefined);
  }
});

test('an answer from before a reload, or of another log, is asked for again', () => {
  const reload = [make.subscribed(200), make.loaded(newest(200, 10))];
  const room = run([wanted(5), ...reload], start);

  for (const old of [read(5, entry(5), 199), read(5, entry(5), 300, 'another')]) {
    assert.equal(nextQuote(run([old], room)), 5);
  }
});

test('so many are kept and no more, and the oldest goes', () => {
  const room = run(
    Array.from({ length: 1500 }, (_, index) => wanted(index + 1000)),
    start,
  );

  assert.equal(room.quotes.size, 1000);
  assert.deepEqual([room.quotes.has(1499), room.quotes.has(1500)], [false, true]);
});

test('whom a quote names is known by name', () => {
  const room = run([wanted(5), read(5, entry(5, { user: 'guest-cleo', name: 'Cleo' }))], start);

  assert.equal(room.names.get('guest-cleo'), 'Cleo');
});

test('a row has what it answers, and says whether it calls us', () => {
  const said = (offset, data, info = make.BOB) =>
    published({ offset, info, data: { type: 'message', text: 'x', time: offset, ...data } });
  const room = run(
    [
      said(101, { reply: 95, mentions: { [make.ME]: 'Me' } }),
      said(102, { reply: 3, mentions: { other: 'Other' } }),
      said(103, { mentions: { [make.ME]: 'Me' } }, make.MYSELF),
    ],
    start,
  );

  const rows = rowsOf(room).slice(-3);

  assert.deepEqual(
    rows.map(({ quote: one, calls }) => [one?.offset, calls]),
    [
      [95, true],
      [undefined, false],
      [undefined, false],
    ],
  );
  assert.equal(rows[2].quote, null);
});
