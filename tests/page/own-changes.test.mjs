import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lastOwn, shownLog } from '../../web/static/own-changes.js';
import * as make from './make.mjs';

const { MYSELF, deletion, edit, newest, publication, published, reaction, roomAt, run } = make;

const mine = published(publication(4, { info: MYSELF, text: 'frist' }));
const start = run([mine], roomAt(3));
const want = (wish, key = 'c') => ({ type: 'changeRequested', key, wish, time: 9000 });
const correct = want({ type: 'edit', target: 4, text: 'first' });
const sent = (offset, key = 'c') => ({ type: 'changeSent', key, offset });
const failed = { type: 'changeFailed', key: 'c', problem: 'muted' };
const texts = (room) => shownLog(room).map(({ kind, text }) => (kind === 'deleted' ? '-' : text));

test('a change of ours shows at once', () => {
  const edited = run([correct], start);
  const deleted = run([want({ type: 'delete', target: 4 })], start);
  const liked = run([want({ type: 'reaction', target: 1, emoji: '👍', on: true })], start);

  assert.equal(texts(edited)[3], 'first');
  assert.equal(texts(deleted)[3], '-');
  assert.deepEqual(shownLog(liked)[0].reactions, { '👍': [make.ME] });
  assert.equal(edited.log, start.log);
});

test('what the server refuses is taken back, and can be tried again or dropped', () => {
  const refused = run([correct, failed], start);
  assert.deepEqual(texts(refused), texts(start));
  assert.equal(refused.changes[0].problem, 'muted');

  assert.equal(texts(run([{ type: 'changeRetried', key: 'c' }], refused))[3], 'first');
  assert.deepEqual(run([{ type: 'changeDiscarded', key: 'c' }], refused).changes, []);
});

test('it shows once and stays, whether the reply or the publication comes first', () => {
  const came = published(edit(5, 4, 'first', MYSELF));

  for (const order of [
    [sent(5), came],
    [came, sent(5)],
  ]) {
    const room = run([correct, ...order], start);

    assert.deepEqual(room.changes, []);
    assert.equal(texts(room)[3], 'first');
  }
});

test('until its publication has come, one that is stored goes on being shown', () => {
  const room = run([correct, sent(6), published(publication(5))], start);

  assert.equal(texts(room)[3], 'first');
  assert.equal(room.changes.length, 1);
});

test('a later change of somebody else does not undo what the page shows of ours', () => {
  const liked = want({ type: 'reaction', target: 1, emoji: '👍', on: true });
  const room = run([liked, published(reaction(5, 1, '👍', { info: make.BOB }))], start);

  assert.deepEqual(shownLog(room)[0].reactions, { '👍': [make.BOB.user, make.ME] });
});

test('a reaction put and taken back in haste is gone', () => {
  const toggle = (on, key) => want({ type: 'reaction', target: 1, emoji: '👍', on }, key);

  assert.deepEqual(shownLog(run([toggle(true, 'a'), toggle(false, 'b')], start))[0].reactions, {});
});

test('when the log begins anew, a change to what is gone is dropped', () => {
  const anew = make.subscribed(1, { epoch: 'other' });

  assert.deepEqual(run([correct, anew], start).changes, []);
});

test('so many changes may wait, and no more', () => {
  const many = Array.from({ length: 300 }, (_, index) =>
    want({ type: 'reaction', target: 1, emoji: '👍', on: true }, `k${index}`),
  );

  assert.equal(run(many, start).changes.length, 200);
});

test('the last message of ours is the newest that still stands, as it stands', () => {
  assert.equal(lastOwn(start).offset, 4);
  assert.equal(lastOwn(run([correct], start)).text, 'first');
  assert.equal(lastOwn(run([published(deletion(5, 4, MYSELF))], start)), undefined);
  assert.equal(lastOwn(run([make.loaded(newest(3))], roomAt(3))), undefined);
  assert.equal(lastOwn({ ...start, atEnd: false }), undefined); // a newer one may be elsewhere
});
