import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as drafts from '../../web/static/drafts.js';

const { EMPTY_DRAFT, cancelled, editing, fromStored, merged, replying, toStored, typed, withDraft } = drafts;

const half = typed(EMPTY_DRAFT, 'half a sen');
const message = { offset: 7, text: 'said before' };

test('an edit puts aside what was being written, and gives it back', () => {
  const edit = editing(replying(half, 3), message);
  assert.deepEqual([edit.text, edit.edit], ['said before', 7]);

  const back = cancelled(typed(edit, 'changed my mind'));

  assert.deepEqual([back.text, back.edit, back.reply], ['half a sen', null, 3]);
});

test('another edit, or a reply, in the middle of an edit does not lose it either', () => {
  const edit = editing(half, message);

  assert.equal(cancelled(editing(edit, { offset: 8, text: 'another' })).text, 'half a sen');
  assert.deepEqual(replying(edit, 3), { ...half, reply: 3 });
});

test('who cancels a reply keeps the text', () => {
  assert.deepEqual(cancelled(replying(half, 3)), half);
});

test('drafts come back as they were stored', () => {
  const all = withDraft(withDraft(new Map(), 'tea', half), 'lobby', editing(half, message));

  assert.deepEqual(fromStored(toStored(all)), all);
});

test('an empty draft is none', () => {
  const one = withDraft(new Map(), 'tea', half);

  assert.equal(withDraft(one, 'tea', EMPTY_DRAFT).size, 0);
  assert.equal(toStored(new Map()), '');
});

const draft = (text) => typed(EMPTY_DRAFT, text);

test('what two tabs write in different rooms is both stored', () => {
  const [here, there] = [new Map([['tea', draft('milk')]]), new Map([['lobby', draft('hello')]])];

  assert.deepEqual(merged(here, new Map(), there), new Map([...here, ...there]));
});

test('of what two tabs write in one room the last is stored, and ends with the tab that has written it', () => {
  const [here, there] = [new Map([['tea', draft('milk')]]), new Map([['tea', draft('lemon')]])];

  const stored = merged(merged(new Map(), new Map(), here), new Map(), there);
  assert.deepEqual(stored, there);
  assert.deepEqual(merged(stored, here, new Map()), there);
  assert.deepEqual(merged(stored, there, new Map()), new Map());
});

test('a draft too long to be stored whole ends like any other', () => {
  const long = new Map([['tea', draft('x'.repeat(100_000))]]);
  const stored = fromStored(toStored(long));

  assert.equal(stored.size, 1);
  assert.equal(merged(stored, long, new Map()).size, 0);
});

test('fifty rooms have drafts, the ones written last, and none is endless', () => {
  let all = new Map();
  for (let room = 0; room < 60; room += 1) all = withDraft(all, `room-${room}`, half);
  all = withDraft(all, 'room-10', typed(half, 'x'.repeat(100_000)));

  assert.equal(all.size, 50);
  assert.equal([...all.keys()].at(-1), 'room-10');
  assert.ok(toStored(all).length < 20_000);
});

for (const stored of ['', 'null', '{}', '[1]', '[["tea",null]]', '{"', '[["tea",{"text":7}]]']) {
  test(`a storage with something else in it does no harm: ${stored}`, () => {
    for (const draft of fromStored(stored).values()) assert.equal(typeof draft.text, 'string');
  });
}
