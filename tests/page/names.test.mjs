import assert from 'node:assert/strict';
import { test } from 'node:test';

import { learn, listOf } from '../../web/static/names.js';

const NAMES = new Map([
  ['ada', 'Ada'],
  ['bob', 'Bob'],
]);

test('names are learnt, and the newer one holds', () => {
  const names = learn(NAMES, [
    { user: 'bob', name: 'Robert' },
    { user: 'cleo', name: 'Cleo' },
  ]);

  assert.deepEqual(
    [...names],
    [
      ['ada', 'Ada'],
      ['bob', 'Robert'],
      ['cleo', 'Cleo'],
    ],
  );
  assert.equal(NAMES.get('bob'), 'Bob');
});

test('nothing new leaves the names the same, so that nothing is drawn again', () => {
  assert.equal(
    learn(NAMES, [
      { user: 'ada', name: 'Ada' },
      { user: '', name: 'Someone' },
    ]),
    NAMES,
  );
});

for (const [users, words] of [
  [['ada'], 'Ada'],
  [['ada', 'bob'], 'Ada and Bob'],
  [['ada', 'me'], 'You and Ada'],
  [['me'], 'You'],
  [['ada', 'x'], 'Ada and 1 other'],
  [['me', 'x', 'ada', 'y'], 'You, Ada, and 2 others'],
  [['x'], '1 person'],
  [['x', 'y'], '2 people'],
]) {
  test(`people are listed: ${words}`, () => assert.equal(listOf(users, NAMES, ['me']), words));
}

test('of many people some are named', () => {
  const users = Array.from({ length: 30 }, (_, index) => `user-${index}`);
  const names = new Map(users.map((user) => [user, user.toUpperCase()]));

  assert.match(listOf(users, names, []), /^USER-0, .*USER-9, and 20 others$/);
});

test('the id of a guest is no name, that of a user may be one', () => {
  assert.deepEqual([...learn(new Map(), [{ user: 'guest-1', name: 'guest-1' }])], []);
  assert.deepEqual([...learn(new Map(), [{ user: 'ada', name: 'ada' }])], [['ada', 'ada']]);
});
