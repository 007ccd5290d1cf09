import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createOutbox } from '../../web/static/outbox.js';

const TIMEOUT = { code: 1, message: 'timeout' };
const INTERNAL = { code: 100, message: 'internal server error', temporary: true };
const REFUSED = { code: 103, message: 'permission denied', temporary: false };

/** An outbox over a list of messages; the server gives the `answers` first, then success. */
function setUp(keys, { answers = [], isOpen = () => true } = {}) {
  const queue = keys.map((key) => ({ key, text: key, time: 0, state: 'pending', problem: '' }));
  const calls = [];
  const failed = [];
  const drop = (key) =>
    queue.splice(
      queue.findIndex((message) => message.key === key),
      1,
    );
  const outbox = createOutbox({
    next: () => queue[0],
    isOpen,
    send: async ({ key }) => {
      calls.push(key);
      const error = answers.shift();
      if (error) throw error;
      return { offset: calls.length, epoch: 'e', time: 0 };
    },
    onSent: drop,
    onFailed: (key, problem) => {
      failed.push([key, problem]);
      drop(key);
    },
    pause: async () => {},
  });
  return { outbox, queue, calls, failed };
}

test('messages go out one after the other', async () => {
  const { outbox, calls } = setUp(['a', 'b', 'c']);

  await outbox.flush();

  assert.deepEqual(calls, ['a', 'b', 'c']);
});

test('an unknown outcome is repeated with the same key, and later messages wait', async () => {
  const { outbox, calls, failed } = setUp(['a', 'b'], { answers: [TIMEOUT, INTERNAL] });

  await outbox.flush();

  assert.deepEqual(calls, ['a', 'a', 'a', 'b']);
  assert.deepEqual(failed, []);
});

test('a refusal is handed back, and the next message goes', async () => {
  const { outbox, calls, failed } = setUp(['a', 'b'], { answers: [REFUSED] });

  await outbox.flush();

  assert.deepEqual(calls, ['a', 'b']);
  assert.deepEqual(failed, [['a', 'permission denied']]);
});

test('a server that only says "later" is given up at some point, a silent one never', async () => {
  const refusing = setUp(['a'], { answers: Array(20).fill(INTERNAL) });
  await refusing.outbox.flush();
  assert.equal(refusing.failed.length, 1);

  const silent = setUp(['a'], { answers: Array(20).fill(TIMEOUT) });
  await silent.outbox.flush();
  assert.equal(silent.calls.length, 21);
  assert.deepEqual(silent.failed, []);
});

test('nothing goes out while the room is closed', async () => {
  let open = false;
  const { outbox, calls, queue } = setUp(['a'], { isOpen: () => open });
  await outbox.flush();
  assert.deepEqual(calls, []);

  open = true;
  await outbox.flush();

  assert.deepEqual(calls, ['a']);
  assert.deepEqual(queue, []);
});

test('a second flush does not send twice', async () => {
  const { outbox, calls } = setUp(['a', 'b']);

  await Promise.all([outbox.flush(), outbox.flush()]);

  assert.deepEqual(calls, ['a', 'b']);
});

test('a message that the log turned out to have is not sent again', async () => {
  const box = setUp(['a', 'b'], { answers: [TIMEOUT] });
  const sending = box.outbox.flush();
  box.queue.shift(); // its publication came

  await sending;

  assert.deepEqual(box.calls, ['a', 'b']);
});

test('a bug is not taken for an answer', async () => {
  const { outbox } = setUp(['a'], { answers: [new TypeError('ours')] });

  await assert.rejects(outbox.flush(), TypeError);
});

test('a flush right after a run that found the room closed begins another one', async () => {
  let isOpen = false;
  const { outbox, calls } = setUp(['a'], { isOpen: () => isOpen });
  outbox.flush();
  isOpen = true;

  await outbox.flush();

  assert.deepEqual(calls, ['a']);
});
