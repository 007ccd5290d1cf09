import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EMPTY_ROOM } from '../../web/static/room.js';
import { rowsOf } from '../../web/static/rows.js';
import { entry, ME } from './make.mjs';

const MINUTE = 60_000;
const NOON = new Date(2026, 10, 22, 12).getTime();

function rows(log, unsent = [], { atEnd = true, divider = null } = {}) {
  return rowsOf({ ...EMPTY_ROOM, selves: [ME], selfName: 'Me', log, unsent, atEnd, divider });
}
const outline = (all) =>
  all.map((row) => (row.type !== 'message' ? row.type : row.starts ? `${row.name}:` : '-'));

test('messages of one author within five minutes are one group', () => {
  const log = [
    entry(1, { time: NOON }),
    entry(2, { time: NOON + 4 * MINUTE }),
    entry(3, { time: NOON + 8 * MINUTE }),
  ];

  assert.deepEqual(outline(rows(log)), ['day', 'Ada:', '-', '-']);
});

test('a pause or another author starts a group', () => {
  const log = [
    entry(1, { time: NOON }),
    entry(2, { time: NOON + 5 * MINUTE }),
    entry(3, { time: NOON + 5 * MINUTE, user: 'bob', name: 'Bob' }),
  ];

  assert.deepEqual(outline(rows(log)), ['day', 'Ada:', 'Ada:', 'Bob:']);
});

test('a new name starts a group', () => {
  const log = [entry(1, { time: NOON }), entry(2, { time: NOON, name: 'Lovelace' })];

  assert.deepEqual(outline(rows(log)), ['day', 'Ada:', 'Lovelace:']);
});

test('each day is announced once, also between messages without a time', () => {
  const log = [
    entry(1, { time: NOON - 24 * 60 * MINUTE }),
    entry(2, { time: NOON }),
    entry(3, { time: null }),
    entry(4, { time: NOON + MINUTE }),
  ];

  assert.deepEqual(outline(rows(log)), ['day', 'Ada:', 'day', 'Ada:', 'Ada:', 'Ada:']);
});

test('what is not sent comes last and joins the group of what is', () => {
  const log = [entry(1, { time: NOON, user: ME, name: 'Me', key: 'a' })];
  const unsent = [
    { key: 'b', text: 'b', time: NOON + MINUTE, state: 'failed', problem: 'refused' },
  ];

  const [, sent, failed] = rows(log, unsent);

  assert.equal(sent.state, 'sent');
  assert.equal(sent.mine, true);
  assert.equal(failed.state, 'failed');
  assert.equal(failed.starts, false);
  assert.equal(failed.offset, null);
});

test('no two rows have the same key', () => {
  const log = [1, 2, 3].map((offset) =>
    entry(offset, { key: 'same', time: NOON + offset * 24 * 60 * MINUTE }),
  );
  const unsent = [{ key: 'same', text: '', time: NOON, state: 'pending', problem: '' }];

  const keys = rows(log, unsent).map(({ key }) => key);

  assert.equal(new Set(keys).size, keys.length);
});

test('a deleted message keeps its place in the group; what became of one is in its row', () => {
  const log = [
    entry(1, { time: NOON, changed: NOON + 1, reactions: { '👍': [ME] } }),
    entry(2, { time: NOON + MINUTE, kind: 'deleted', text: '' }),
    entry(3, { time: NOON + 2 * MINUTE }),
  ];

  const [, edited, deleted] = rows(log);

  assert.deepEqual(outline(rows(log)), ['day', 'Ada:', '-', '-']);
  assert.deepEqual([edited.changed, edited.reactions], [NOON + 1, { '👍': [ME] }]);
  assert.equal(deleted.kind, 'deleted');
});

test('a line stands above the first message of others after the marker, and starts a group', () => {
  const log = [1, 2, 3, 4].map((offset) =>
    entry(offset, { time: NOON, ...(offset === 3 && { user: ME, name: 'Me' }) }),
  );

  assert.deepEqual(outline(rows(log, [], { divider: 1 })), ['day', 'Ada:', 'new', 'Ada:', 'Me:', 'Ada:']);
  assert.deepEqual(outline(rows(log, [], { divider: 2 })).indexOf('new'), 4);
  assert.ok(!outline(rows(log, [], { divider: 4 })).includes('new'));
});

test('what is not sent is not shown below a window that ends before the newest message', () => {
  const unsent = [{ key: 'b', text: 'b', time: NOON, state: 'pending', problem: '' }];

  assert.deepEqual(outline(rows([entry(1, { time: NOON })], unsent, { atEnd: false })), ['day', 'Ada:']);
});
