import assert from 'node:assert/strict';
import { test } from 'node:test';

import { doneIn, undoingOf, usersIn } from '../../web/static/rulings.js';
import { createRecent } from '../../web/static/recent.js';

test('what was done is said in words', () => {
  assert.equal(doneIn({ action: 'kick' }), 'put out');
  assert.equal(doneIn({ action: 'ban' }), 'banned for ever');
  assert.match(doneIn({ action: 'mute', until: 1795365245120 }), /^muted until .*2026/);
  assert.equal(doneIn({ action: 'constructor' }), 'constructor');
});

test('a ban is undone by unban, a mute by unmute', () => {
  assert.equal(undoingOf('ban'), 'unban');
  assert.equal(undoingOf('mute'), 'unmute');
});

test('everybody is named once', () => {
  assert.deepEqual(
    usersIn([
      { user: 'eve', by: 'mo' },
      { user: 'eve', by: '' },
    ]),
    ['eve', 'mo'],
  );
});

const memory = (value = '') => ({ load: () => value, save: (next) => (value = next) });

test('rooms are remembered, the last one first, each once', () => {
  const saved = memory();
  const recent = createRecent(saved);
  for (const channel of ['tea', 'lobby', 'tea', 'cake']) recent.add(channel);
  recent.drop('lobby');

  assert.deepEqual(createRecent(saved).others('cake'), ['tea']);
});

test('what somebody else has stored is nothing', () => {
  for (const text of ['{', '{"a":1}', '[1,null]']) assert.deepEqual(createRecent(memory(text)).others(null), []);
});
