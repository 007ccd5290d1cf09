import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createReader } from '../../web/static/reader.js';

/** A reader, what it has told, and what it does after the pause. */
function make() {
  const told = [];
  const later = [];
  const send = async (...what) => told.push(what);
  return { reader: createReader(send, { later: (work) => later.push(work) }), told, later };
}

test('who goes away has told at once how far they read, and not again after the pause', async () => {
  const { reader, told, later } = make();
  reader.seen('tea', 3);
  reader.seen('tea', 5);
  reader.seen('lobby', 1);

  reader.flush();
  const atOnce = [...told];
  await later[0]();

  const all = [
    ['tea', 5],
    ['lobby', 1],
  ];
  assert.deepEqual([atOnce, told], [all, all]);
});

test('of a room that one has left nothing is told, and who comes back tells it anew', async () => {
  const { reader, told, later } = make();
  reader.seen('tea', 3);
  await later.shift()();
  reader.seen('tea', 4);

  reader.forget('tea');
  await later.shift()();
  assert.deepEqual(told, [['tea', 3]]);
  reader.seen('tea', 3);
  await later.shift()();

  assert.deepEqual(told, [
    ['tea', 3],
    ['tea', 3],
  ]);
});
