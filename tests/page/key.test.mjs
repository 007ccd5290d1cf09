import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createKey } from '../../web/static/key.js';

const NOW = Date.UTC(2026, 10, 22, 12);

test('a key begins with the time, so that keys sort as they are made', () => {
  const times = [0, 1, NOW, NOW + 1, NOW + 1000, 2 ** 48 - 1];
  const keys = times.map((time) => createKey(time));

  assert.deepEqual(keys.toSorted(), keys);
  assert.equal(Number.parseInt(createKey(NOW).slice(0, 12), 16), NOW);
});

test('a key is of the length that the server takes, whatever the time', () => {
  for (const time of [0, NOW, 2 ** 48 - 1]) assert.match(createKey(time), /^[0-9a-f]{32}$/);
});

test('no two keys of one moment are the same', () => {
  const keys = Array.from({ length: 1000 }, () => createKey(NOW));

  assert.equal(new Set(keys).size, keys.length);
});

test('the time is now, if no other is given', () => {
  const before = Date.now();

  const time = Number.parseInt(createKey().slice(0, 12), 16);

  assert.ok(before <= time && time <= Date.now());
});
