import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changeOf, currentEntry, entryOf, isTyping, nameOf } from '../../web/static/publication.js';
import { ADA, BOB, current, deletion, edit, publication, reaction } from './make.mjs';

test('a chat message is shown as text', () => {
  const data = { type: 'message', key: 'k', text: 'hello', time: 1000 };

  assert.deepEqual(entryOf({ offset: 7, data, info: ADA }), {
    offset: 7,
    user: 'guest-ada',
    name: 'Ada',
    key: 'k',
    time: 1000,
    data,
    text: 'hello',
    kind: 'message',
    reply: null,
    mentions: {},
    changed: null,
    reactions: {},
    asOf: 7,
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

test('what has no info is of the server, which may say in whose name', () => {
  const of = (/** @type {any} */ data, /** @type {any} */ info) =>
    entryOf({ offset: 1, data: { type: 'message', text: 'x', ...data }, info }).name;

  assert.equal(of({}), 'Server');
  assert.equal(of({ name: 'Billing' }), 'Billing');
  assert.equal(of({ name: '  ' }), 'Server');
  assert.equal(of({ name: { evil: true } }), 'Server');
  assert.equal(of({ name: 'Billing' }, ADA), 'Ada');
});

test('a message of the server as rpc `messages` tells it is its own as well', () => {
  const data = { type: 'message', text: 'x', name: 'Billing' };
  const entry = currentEntry({ offset: 1, data, time: 1000 }, 1);

  assert.deepEqual([entry.name, entry.user], ['Billing', '']);
});

test('typing is a publication that is not stored', () => {
  assert.equal(isTyping({ data: { type: 'typing' } }), true);
  assert.equal(isTyping({ offset: 3, data: { type: 'typing' } }), false);
  assert.equal(isTyping({ data: null }), false);
});

test('changes say what they change, and who made them', () => {
  const origin = { target: 3, user: BOB.user };

  assert.deepEqual(changeOf(edit(7, 3, 'better', BOB)), {
    ...origin,
    offset: 7,
    time: 7000,
    type: 'edit',
    text: 'better',
  });
  assert.deepEqual(changeOf(deletion(8, 3, BOB)), {
    ...origin,
    offset: 8,
    time: 8000,
    type: 'delete',
  });
  assert.deepEqual(changeOf(reaction(9, 3, '👍', { on: false, info: BOB })), {
    ...origin,
    offset: 9,
    time: 9000,
    type: 'reaction',
    emoji: '👍',
    on: false,
  });
});

for (const data of [
  null,
  'edit',
  { type: 'message', target: 3, text: 'x', time: 1 },
  { type: 'edit', target: 3, text: 7, time: 1 },
  { type: 'edit', target: '3', text: 'x', time: 1 },
  { type: 'edit', target: 3.5, text: 'x', time: 1 },
  { type: 'edit', target: 0, text: 'x', time: 1 },
  { type: 'edit', target: 7, text: 'x', time: 1 },
  { type: 'edit', target: 3, text: 'x', time: 1e300 },
  { type: 'delete', time: 1 },
  { type: 'delete', target: 3 },
  { type: 'reaction', target: 3, emoji: '', on: true, time: 1 },
  { type: 'reaction', target: 3, emoji: 'x'.repeat(65), on: true, time: 1 },
  { type: 'reaction', target: 3, emoji: '👍', on: 1, time: 1 },
]) {
  test(`what only resembles a change is a message: ${JSON.stringify(data).slice(0, 80)}`, () => {
    assert.equal(changeOf({ offset: 7, data, info: ADA }), null);
  });
}

test('a message of a page is what its publication would be, and what became of it', () => {
  const live = publication(7);
  assert.deepEqual(currentEntry(current(live), 9), { ...entryOf(live), asOf: 9 });

  const reactions = { '👍': [BOB.user] };
  const { changed, reactions: shown } = currentEntry(current(live, { edited: 8000, reactions }), 9);
  assert.equal(changed, 8000);
  assert.deepEqual(shown, reactions);
});

test('a deleted message is not one whose data is null', () => {
  const nothing = { ...publication(7), data: null };

  assert.equal(currentEntry(current(nothing), 9).kind, 'data');
  const gone = currentEntry(current(nothing, { edited: 8000, deleted: 9000 }), 9);
  assert.deepEqual([gone.kind, gone.changed, gone.time], ['deleted', 9000, 7000]);
});

test('a message says what it answers and whom it mentions', () => {
  const said = (fields) => entryOf({ offset: 7, info: ADA, data: { type: 'message', text: 'x', ...fields } });

  assert.equal(said({ reply: 3 }).reply, 3);
  assert.deepEqual(said({ mentions: { ada: 'Ada' } }).mentions, { ada: 'Ada' });
});

for (const value of [null, 0, -1, 1.5, 'x', [1], { a: 1 }, { a: '' }, { a: { b: 'c' } }, { a: 'x'.repeat(200) }]) {
  test(`what is no reply and no mention is none: ${JSON.stringify(value).slice(0, 20)}`, () => {
    const { reply, mentions } = entryOf({
      offset: 7,
      info: ADA,
      data: { type: 'message', text: 'x', reply: value, mentions: value },
    });

    assert.deepEqual([reply, mentions], [null, {}]);
  });
}

test('twenty are mentioned at most', () => {
  const mentions = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`u${index}`, 'x']));
  const entry = entryOf({ offset: 7, info: ADA, data: { type: 'message', text: 'x', mentions } });

  assert.equal(Object.keys(entry.mentions).length, 20);
});
