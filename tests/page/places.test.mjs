import assert from 'node:assert/strict';
import { test } from 'node:test';

import { noticeOf } from '../../web/static/notices.js';
import { calls } from '../../web/static/notifier.js';
import * as places from '../../web/static/places.js';
import { createReader } from '../../web/static/reader.js';
import { onRetryScheduled } from '../../web/static/retry-delay.js';
import { permutations } from './make.mjs';

const room = (fields) => ({ channel: 'tea', epoch: 'e', read: 3, head: 10, unread: 5, mentions: 1, ...fields });
const tell = (fields) => (before) => places.told(before, [room(fields)]);
const hear = (offset, isMention = false) => (before) => places.heard(before, 'tea', offset, isMention);
const read = (offset) => (before) => places.readUpTo(before, 'tea', offset);
const after = (steps) => steps.reduce((before, step) => step(before), new Map());
const counts = (steps) => places.countsOf(after(steps).get('tea'));

test('what comes live counts on top of what the server said, each message once', () => {
  const news = [hear(11), hear(11), hear(12, true), hear(9)];

  for (const order of permutations(news)) {
    assert.deepEqual(counts([tell(), ...order]), { unread: 7, mentions: 2 });
  }
});

test('an answer that knows of it already takes the place of what came live', () => {
  const steps = [tell(), hear(11), hear(12), tell({ head: 11, unread: 6 })];

  assert.deepEqual(counts(steps), { unread: 7, mentions: 1 });
});

test('reading all leaves nothing, reading a part leaves what the server counted', () => {
  assert.deepEqual(counts([tell(), hear(11), hear(12), read(11)]), { unread: 1, mentions: 0 });
  assert.deepEqual(counts([tell(), hear(11), read(5)]), { unread: 6, mentions: 1 });
});

test('a marker only rises, also against an answer that was under way', () => {
  const steps = [tell(), read(10), tell(), read(4)];

  assert.equal(after(steps).get('tea').read, 10);
  assert.deepEqual(counts(steps), { unread: 0, mentions: 0 });
});

test('a sequence that began anew forgets what came of the old one', () => {
  assert.equal(counts([tell(), hear(11), tell({ epoch: 'f', head: 1, unread: 1 })]).unread, 1);
});

test('a muted room counts what names us only', () => {
  assert.deepEqual(counts([tell({ notify: false }), hear(11), hear(12, true)]), { unread: 2, mentions: 2 });
});

test('what the server says may be anything', () => {
  for (const rooms of [null, 7, [null, {}, { channel: 7 }]]) {
    assert.equal(places.told(new Map(), rooms).size, 0);
  }
  for (const data of [null, 'x', {}, { type: 'read', channel: 'tea' }, { type: 'mention', channel: 'tea', offset: 'x' }]) {
    assert.equal(noticeOf(data), null);
  }
});

test('a notification is for what means us, is not in sight, and not from a muted room', () => {
  const state = { hidden: false, channel: 'tea', places: after([tell()]) };
  const notice = noticeOf({ type: 'mention', channel: 'tea', offset: 11, text: 'x', from: { user: 'b', name: 'B' } });

  assert.equal(calls(state, notice), false);
  assert.equal(calls({ ...state, hidden: true }, notice), true);
  assert.equal(calls({ ...state, channel: 'lobby' }, notice), true);
  assert.equal(calls({ ...state, hidden: true, places: after([tell({ notify: false })]) }, notice), false);
  assert.equal(calls({ ...state, hidden: true }, noticeOf({ type: 'read', channel: 'tea', offset: 11 })), false);
});

test('how far one has read is told after a pause, once, and never backwards', async () => {
  const told = [];
  const due = [];
  const reader = createReader(async (...each) => told.push(each), { later: (work) => due.push(work) });

  for (const offset of [3, 7, 5]) reader.seen('tea', offset);
  await due.shift()();
  reader.seen('tea', 7);
  assert.deepEqual(told, [['tea', 7]]);
  assert.equal(due.length, 0);

  reader.seen('tea', 8);
  await due.shift()();
  assert.deepEqual(told.at(-1), ['tea', 8]);
});

test('a marker that could not be told is told with the next one that is seen', async () => {
  const due = [];
  let tries = 0;
  const fail = async () => {
    tries += 1;
    throw new Error('no connection');
  };
  const reader = createReader(fail, { later: (work) => due.push(work) });
  reader.seen('tea', 3);
  await due.shift()();

  reader.seen('tea', 3);
  await due.shift()();

  assert.equal(tries, 2);
});

test('the SDK says how long it waits before it tries again', async () => {
  const { Centrifuge } = await import('../../web/node_modules/centrifuge/build/index.mjs');
  class Refused {
    constructor() {
      setTimeout(() => this.onclose?.({ code: 1006, reason: '' }));
    }
    close() {}
  }
  const centrifuge = new Centrifuge('ws://refused', { websocket: Refused, networkEventTarget: new EventTarget() });
  const scheduled = new Promise((resolve) => {
    onRetryScheduled(centrifuge, resolve);
  });

  centrifuge.connect();

  assert.ok((await scheduled) > 0);
  centrifuge.disconnect();
});
