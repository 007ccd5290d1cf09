import assert from 'node:assert/strict';
import { test } from 'node:test';

import { boxOf, filesOf, sizeName, urlOf } from '../../web/static/attachments.js';
import { createFileKeys } from '../../web/static/file-key.js';
import { rowsOf } from '../../web/static/rows.js';
import { entry, ME, run, identified } from './make.mjs';

const FILE = { id: 'Yk0c', name: 'notes.txt', type: 'application/octet-stream', size: 12 };
const IMAGE = { ...FILE, name: 'red.png', width: 1200, height: 800, thumb: true };
const data = (...files) => ({ type: 'message', text: '', files });

test('files are what the server says of them', () => {
  assert.deepEqual(filesOf(data(FILE, IMAGE)), [
    { id: 'Yk0c', name: 'notes.txt', size: 12, width: 0, height: 0 },
    { id: 'Yk0c', name: 'red.png', size: 12, width: 1200, height: 800 },
  ]);
});

test('what has not the form of a file is none, whoever published it', () => {
  const odd = [
    ...[null, 'x', 7, [], {}, { ...FILE, id: '../../evil' }, { ...FILE, id: '' }],
    ...[{ ...FILE, id: 7 }, { ...FILE, name: {} }, { ...FILE, size: -1 }, { ...FILE, size: '1' }],
  ];

  assert.deepEqual(filesOf(data(...odd.slice(0, 6))), []);
  assert.deepEqual(filesOf(data(...odd.slice(6))), []);
  assert.deepEqual(
    [null, 'x', { files: [FILE] }, { type: 'message', files: 'x' }].map(filesOf),
    Array(4).fill([]),
  );
});

test('an image without a size that can be shown is a file', () => {
  for (const side of [0, -1, 1.5, '10', 1e6, NaN]) {
    assert.equal(filesOf(data({ ...IMAGE, width: side }))[0].width, 0);
  }
});

test('a message has at most ten files', () => {
  assert.equal(filesOf(data(...Array(50).fill(FILE))).length, 10);
});

test('an image stands as it is or as fits, in its shape', () => {
  const box = (width, height) => Object.values(boxOf({ width, height }));

  assert.deepEqual(box(100, 50), [100, 50]);
  assert.deepEqual(box(1200, 800), [320, 213]);
  assert.deepEqual(box(800, 1200), [160, 240]);
  assert.deepEqual(box(60_000, 1), [320, 1]);
});

test('sizes are for people', () => {
  assert.deepEqual(
    [0, 999, 1000, 1500, 48_213, 10_485_760, 5e12].map(sizeName),
    ['0 bytes', '999 bytes', '1.0 KB', '1.5 KB', '48 KB', '10 MB', '5000 GB'],
  );
});

test('an address has nothing that a file or a key could break out of', () => {
  assert.equal(urlOf('a/b?c', 'd&e', '/thumb'), '/files/a%2Fb%3Fc/thumb?key=d%26e');
});

test('rows have the files of messages, and of those on their way', () => {
  const log = [entry(1, { data: data(FILE) }), entry(2)];
  const room = run([
    identified,
    { type: 'sendRequested', key: 'k', text: '', files: filesOf(data(IMAGE)), time: 3000 },
  ]);
  const rows = () => rowsOf({ ...room, log });

  const counts = rows().flatMap((row) => (row.type === 'message' ? [row.files.length] : []));

  assert.deepEqual(counts, [1, 0, 1]);
  assert.equal(rows()[1].files, rows()[1].files); // the same list, so that nothing is drawn again
});

test('a key is asked for once, and again before it ends', async () => {
  let now = 0;
  let asked = 0;
  const keyOf = createFileKeys(
    async (channel) => {
      asked += 1;
      return { key: `${channel}-${asked}`, ttl: 100, upload: true, max_bytes: 10 };
    },
    () => now,
  );

  assert.deepEqual(await keyOf('tea'), { key: 'tea-1', upload: true, maxBytes: 10, until: 90_000 });
  now = 89_999;
  assert.equal((await keyOf('tea')).key, 'tea-1');
  assert.equal((await keyOf('lobby')).key, 'lobby-2');
  now = 90_000;
  assert.equal((await keyOf('tea')).key, 'tea-3');
});

test('a key that could not be had is asked for again', async () => {
  const answers = [new Error('away'), { key: 'k', ttl: 1, upload: false, max_bytes: 1 }];
  const keyOf = createFileKeys(async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  });

  await assert.rejects(keyOf('tea'), /away/);

  assert.equal((await keyOf('tea')).key, 'k');
});
