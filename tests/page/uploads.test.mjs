import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  added,
  AT_ONCE,
  attachments,
  changed,
  due,
  isBusy,
  isReady,
  MOST_FILES,
  Uploader,
  without,
} from '../../web/static/uploads.js';

const file = (name = 'a.txt', size = 5) => new File(['x'.repeat(size)], name);
const files = (count) => Array.from({ length: count }, (_, index) => file(`${index}.txt`));
const states = (list) => list.map(({ state }) => state);
const rest = () => new Promise((resolve) => setImmediate(resolve));

test('what is chosen waits, and a few begin at once', () => {
  const list = added([], files(5), 1, 100);

  assert.deepEqual(states(list), Array(5).fill('waiting'));
  assert.equal(due(list).length, AT_ONCE);
  assert.equal(due(changed(list, 1, { state: 'uploading' })).length, AT_ONCE - 1);
});

test('a message takes only so many files', () => {
  const list = added(added([], files(7), 1, 100), files(7), 8, 100);

  assert.equal(list.length, MOST_FILES);
});

test('what is too large or empty fails before it is sent', () => {
  const list = added([], [file('a', 101), file('b', 0), file('c', 100)], 1, 100);

  assert.deepEqual(states(list), ['failed', 'failed', 'waiting']);
  assert.match(list[0].problem, /larger than 100 bytes/);
  assert.ok(list[0].isHopeless);
});

test('a list is ready when all is there, and busy while something is on its way', () => {
  const list = added([], files(2), 1, 100);
  const one = changed(list, 1, { state: 'done', file: { id: 'one' } });
  const failed = changed(one, 2, { state: 'failed' });

  assert.deepEqual([isBusy(list), isReady(list)], [true, false]);
  assert.deepEqual([isBusy(one), isReady(one)], [true, false]);
  assert.deepEqual([isBusy(failed), isReady(failed)], [false, false]);
  assert.deepEqual(attachments(failed), [{ id: 'one' }]);
  assert.equal(isReady(without(failed, 2)), true);
  assert.equal(isReady([]), true);
});

/** A server that answers when it is told to. */
function setUp({ keys = async () => ({ key: 'k', upload: true, maxBytes: 100, until: 0 }) } = {}) {
  const sent = [];
  const post = (key, source, onProgress) => {
    let settle = {};
    const answer = new Promise((resolve, reject) => (settle = { resolve, reject }));
    const sending = { key, name: source.name, onProgress, isCancelled: false, ...settle };
    sent.push(sending);
    const cancel = () => {
      sending.isCancelled = true;
      settle.reject(new Error('cancelled'));
    };
    return { answer, cancel };
  };
  return { uploader: new Uploader(keys, post), sent };
}

const stored = (id) => ({ status: 201, body: { id, name: `${id}.txt`, size: 5 } });

test('files are brought a few at a time, each with its progress, and are taken in their order', async () => {
  const { uploader, sent } = setUp();
  let changes = 0;
  uploader.listen(() => (changes += 1));

  uploader.add(files(4), 100);
  await rest();
  assert.deepEqual(
    sent.map(({ key, name }) => `${key} ${name}`),
    ['k 0.txt', 'k 1.txt', 'k 2.txt'],
  );
  sent[1].onProgress(0.5);
  assert.equal(uploader.list[1].sent, 0.5);

  for (const index of [2, 0, 1]) sent[index].resolve(stored(`id-${index}`));
  await rest();
  sent[3].resolve(stored('id-3'));
  await rest();

  assert.ok(changes > 4);
  assert.deepEqual(
    uploader.take().map(({ id }) => id),
    ['id-0', 'id-1', 'id-2', 'id-3'],
  );
  assert.deepEqual(uploader.list, []);
});

test('what fails says why, and is tried again if that may help', async () => {
  const { uploader, sent } = setUp();
  uploader.add(files(3), 100);
  await rest();

  sent[0].resolve({ status: 413, body: null });
  sent[1].resolve({ status: 429, body: { error: { message: 'too many requests' } } });
  sent[2].reject(new Error('no network'));
  await rest();
  assert.deepEqual(
    uploader.list.map(({ problem, isHopeless }) => [problem, isHopeless]),
    [
      ['it is too large', true],
      ['too many requests', false],
      ['the server could not be reached', false],
    ],
  );

  uploader.retry(3);
  await rest();
  sent[3].resolve(stored('again'));
  await rest();

  assert.deepEqual(states(uploader.list), ['failed', 'failed', 'done']);
});

test('a key that cannot be had is a failure', async () => {
  const { uploader, sent } = setUp({ keys: () => Promise.reject(new Error('away')) });

  uploader.add(files(1), 100);
  await rest();

  assert.deepEqual([states(uploader.list), sent.length], [['failed'], 0]);
});

test('what is removed is cancelled, and the next one begins', async () => {
  const { uploader, sent } = setUp();
  uploader.add(files(4), 100);
  await rest();

  uploader.remove(2);
  await rest();

  assert.ok(sent[1].isCancelled);
  assert.equal(sent.length, 4);
  assert.deepEqual(states(uploader.list), Array(3).fill('uploading'));
});

test('what is removed before it has a key is never sent', async () => {
  const { uploader, sent } = setUp();

  uploader.add(files(1), 100);
  uploader.remove(1);
  await rest();

  assert.deepEqual([uploader.list, sent], [[], []]);
});
