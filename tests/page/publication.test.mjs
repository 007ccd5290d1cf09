import assert from 'node:assert/strict';
import { test } from 'node:test';

import { entryOf, isTyping, nameOf } from '../../web/static/publication.js';
import { ADA } from './make.mjs';

test('a chat message is shown as text', () => {
  const data = { type: 'message', key: 'k', text: 'hello', time: 1000 };

  assert.deepEqual(entryOf({ offset: 7, data, info: ADA }), {
    offset: 7,
    user: 'guest-ada',
    name: 'Ada',
    key: 'k',
    time: 1000,
    text: 'hello',
    kind: 'message',
    provisional: false,
  });
});

for (const data of [
  null,
  0,
  'text',
  [1, 2],
  {},
  { type: 'message', text: 5 },
  { type: 'message' },
  { type: 'typing' },
]) {
  test(`data of another program is shown as JSON: ${JSON.stringify(data)}`, () => {
    const { kind, text } = entryOf({ offset: 1, data });

    assert.equal(kind, 'data');
    assert.equal(text, JSON.stringify(data));
  });
}

test('data without end is cut', () => {
  assert.ok(entryOf({ offset: 1, data: 'x'.repeat(60_000) }).text.length < 3000);
});

for (const time of [1e300, -1e300, NaN, '2026', null, undefined, {}]) {
  test(`a time that is none is left out: ${JSON.stringify(time)}`, () => {
    assert.equal(entryOf({ offset: 1, data: { type: 'message', text: 'x', time } }).time, null);
  });
}

test('a name that is not a text is replaced', () => {
  assert.equal(nameOf({ user: 'u', client: 'c', connInfo: { name: { evil: true } } }), 'u');
  assert.equal(nameOf({ user: 'u', client: 'c', connInfo: { name: '  ' } }), 'u');
  assert.equal(nameOf({ user: '', client: 'c' }), 'Someone');
  assert.equal(nameOf(undefined), 'Someone');
});

test('typing is a publication that is not stored', () => {
  assert.equal(isTyping({ data: { type: 'typing' } }), true);
  assert.equal(isTyping({ offset: 3, data: { type: 'typing' } }), false);
  assert.equal(isTyping({ data: null }), false);
});
