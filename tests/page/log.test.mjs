import assert from 'node:assert/strict';
import { test } from 'node:test';

import { firstOffset, joinedTo, merge } from '../../web/static/log.js';
import { entry } from './make.mjs';

const offsets = (log) => log.map(({ offset }) => offset);

test('each offset stands once, in order, whatever comes first', () => {
  const log = merge(merge([], [entry(3), entry(2)]), [entry(1), entry(3), entry(4)]);

  assert.deepEqual(offsets(log), [1, 2, 3, 4]);
});

test('an entry that comes twice keeps its identity, so that it is not drawn again', () => {
  const log = merge([], [entry(1), entry(2)]);

  const again = merge(log, [entry(2), entry(1)]);

  assert.equal(again[0], log[0]);
  assert.equal(again[1], log[1]);
});

test('a publication replaces the entry made from the reply, and never the other way round', () => {
  const published = entry(1, { text: 'as the server has it' });
  const provisional = entry(1, { text: 'as typed', provisional: true });

  assert.equal(merge([provisional], [published])[0], published);
  assert.equal(merge([published], [provisional])[0], published);
});

test('what lies behind a gap is dropped', () => {
  const log = [1, 2, 5, 6, 7, 8].map((offset) => entry(offset));

  assert.deepEqual(offsets(joinedTo(log, 7)), [5, 6, 7, 8]);
});

test('a log without a gap is kept as it is', () => {
  const log = [1, 2, 3].map((offset) => entry(offset));

  assert.equal(joinedTo(log, 3), log);
  assert.equal(joinedTo(log, 4), log);
});

test('a log that ends before the offset keeps only what joins up', () => {
  const log = [1, 2, 3].map((offset) => entry(offset));

  assert.deepEqual(joinedTo(log, 9), []);
});

test('an empty log starts nowhere', () => {
  assert.equal(firstOffset([]), Infinity);
});
