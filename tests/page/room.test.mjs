import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hasOlder, reduceRoom, TYPING_LASTS_MS } from '../../web/static/room.js';
import * as make from './make.mjs';

const {
  ADA,
  MYSELF,
  identified,
  offsets,
  page,
  permutations,
  publication,
  published,
  roomAt,
  run,
  subscribed,
  view,
} = make;

const typing = (info) => ({ data: { type: 'typing' }, info });
const request = { type: 'sendRequested', key: 'mine', text: 'hello', time: 5 };
const reply = { type: 'sent', key: 'mine', offset: 4, epoch: 'e', time: 4000 };
const own = published(publication(4, { info: MYSELF, key: 'mine', text: 'hello' }));

// First load

test('live publications and the first page make one log, in any order', () => {
  const start = run([identified, subscribed(3)]);
  const events = [
    published(publication(4)),
    published(publication(5)),
    page(4),
    page(5),
    published(publication(4)),
  ];

  for (const order of permutations(events)) {
    assert.deepEqual(offsets(run(order, start)), [1, 2, 3, 4, 5]);
  }
});

test('nothing is shown before the first page, so that there is never a gap to be filled', () => {
  const room = run([identified, subscribed(3), published(publication(4))]);

  assert.deepEqual(view(room).log, []);
  assert.equal(room.loaded, false);
});

test('a page from before the subscribe is not used', () => {
  const room = run([identified, subscribed(9), published(publication(10)), page(7)]);

  assert.equal(room.synced, false);
  assert.deepEqual(offsets(room), []);
});

test('where history is not available, the room begins with what comes live', () => {
  const room = run([
    identified,
    subscribed(9),
    published(publication(10)),
    { type: 'historyUnavailable' },
  ]);

  assert.deepEqual(offsets(room), [10]);
  assert.equal(hasOlder(room), false);
});

test('in an empty room the first messages may come in any order', () => {
  const start = run([identified, subscribed(0), page(0)]);
  const events = [1, 2, 3].map((offset) => published(publication(offset)));

  for (const order of permutations(events)) assert.deepEqual(offsets(run(order, start)), [1, 2, 3]);
});

// Resume

test('a recovered resume goes on where it was', () => {
  const before = roomAt(3);

  const room = run(
    [subscribed(3, { recovered: true }), published(publication(4)), published(publication(4))],
    before,
  );

  assert.deepEqual(offsets(room), [1, 2, 3, 4]);
  assert.equal(room.synced, true);
});

test('after an unrecovered resume the old log stays until a page replaces it', () => {
  const away = run([subscribed(400), published(publication(401))], roomAt(5));
  assert.deepEqual(offsets(away), [1, 2, 3, 4, 5]);

  const room = reduceRoom(away, page(401, 3));

  assert.deepEqual(offsets(room), [399, 400, 401]);
  assert.equal(hasOlder(room), true);
});

test('a page that joins up with the old log keeps it', () => {
  const room = run([subscribed(8), page(8, 3)], roomAt(5));

  assert.deepEqual(offsets(room), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a second unrecovered resume before the first was filled leaves no gap', () => {
  const room = run(
    [
      subscribed(400),
      published(publication(401)),
      subscribed(900),
      published(publication(901)),
      page(901, 2),
    ],
    roomAt(5),
  );

  assert.deepEqual(offsets(room), [900, 901]);
});

test('another epoch is another log', () => {
  const room = run([subscribed(1, { epoch: 'f' }), { ...page(1), epoch: 'f' }], roomAt(5));

  assert.deepEqual(offsets(room), [1]);
  assert.deepEqual(view(run([subscribed(1, { epoch: 'f' }), page(5)], roomAt(5))).log, []);
});

// Sending

test('a message of ours is shown at once', () => {
  assert.deepEqual(view(run([request], roomAt(3))).unsent, ['mine pending']);
});

test('replies and publications, also repeated, end in the same view in every order', () => {
  const sent = run([request], roomAt(3));

  for (const order of permutations([reply, own, { ...reply, duplicate: true }, own])) {
    assert.deepEqual(view(run(order, sent)), view(run([own], sent)));
  }
});

test('the same holds across an unrecovered resume', () => {
  const sent = run([request], roomAt(3));
  const resumed = [
    subscribed(4),
    page(4, 4, (offset) => (offset === 4 ? own.publication : publication(offset))),
  ];

  for (const order of [
    [reply, ...resumed],
    [resumed[0], reply, resumed[1]],
    [...resumed, reply],
    [own, ...resumed, reply],
    resumed,
  ]) {
    const room = run(order, sent);
    assert.deepEqual(view(room).unsent, []);
    assert.deepEqual(offsets(room), [1, 2, 3, 4]);
    assert.equal(room.log.at(-1)?.text, 'hello');
  }
});

test('a reply that overtakes an earlier publication of somebody else leaves it its place', () => {
  const room = run([request, { ...reply, offset: 5 }, published(publication(4))], roomAt(3));

  assert.deepEqual(offsets(room), [1, 2, 3, 4, 5]);
});

test('the reply to a message further up than what is loaded makes no hole', () => {
  const room = run(
    [request, subscribed(900), page(900, 2), { ...reply, duplicate: true }],
    roomAt(3),
  );

  assert.deepEqual(offsets(room), [899, 900]);
  assert.deepEqual(room.unsent, []);
});

test("another author's message with the same key is another message", () => {
  const room = run([request, published(publication(4, { key: 'mine' }))], roomAt(3));

  assert.deepEqual(view(room).unsent, ['mine pending']);
});

test('a message sent under an earlier identity of this page is still ours', () => {
  const room = run(
    [request, { type: 'identified', user: 'guest-new', name: 'Me' }, own],
    roomAt(3),
  );

  assert.deepEqual(view(room).unsent, []);
});

test('a refused message keeps its text and can be tried again or dropped', () => {
  const failed = run(
    [request, { type: 'sendFailed', key: 'mine', problem: 'too long' }],
    roomAt(3),
  );
  assert.deepEqual(failed.unsent, [
    { key: 'mine', text: 'hello', time: 5, state: 'failed', problem: 'too long' },
  ]);

  assert.deepEqual(view(run([{ type: 'sendRetried', key: 'mine' }], failed)).unsent, [
    'mine pending',
  ]);
  assert.deepEqual(view(run([{ type: 'sendDiscarded', key: 'mine' }], failed)).unsent, []);
});

test('an error that comes after the publication changes nothing', () => {
  const room = run(
    [request, own, { type: 'sendFailed', key: 'mine', problem: 'timeout' }],
    roomAt(3),
  );

  assert.deepEqual(room.unsent, []);
});

// Older messages

const older = (before, count) => ({
  type: 'olderLoaded',
  before,
  publications: Array.from({ length: count }, (_, index) => publication(before - 1 - index)),
});

test('older messages go on top, down to the first', () => {
  const room = run([{ type: 'olderRequested' }, older(8, 7)], roomAt(10, 3));

  assert.deepEqual(offsets(room), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(hasOlder(room), false);
});

test('an empty page says that older messages are not kept', () => {
  const room = run([{ type: 'olderRequested' }, older(8, 0)], roomAt(10, 3));

  assert.equal(hasOlder(room), false);
  assert.deepEqual(offsets(room), [8, 9, 10]);
});

test('older messages for a log that was reloaded meanwhile are not used', () => {
  const room = run(
    [{ type: 'olderRequested' }, subscribed(900), page(900, 2), older(8, 7)],
    roomAt(10, 3),
  );

  assert.deepEqual(offsets(room), [899, 900]);
});

test('a failed request can be repeated', () => {
  const room = run([{ type: 'olderRequested' }, { type: 'olderFailed' }], roomAt(10, 3));

  assert.equal(room.older, 'failed');
  assert.equal(hasOlder(room), true);
});

test('a long log is trimmed at the top, and can be loaded again', () => {
  const room = run([{ type: 'trimmed', keep: 4 }], roomAt(10));

  assert.deepEqual(offsets(room), [7, 8, 9, 10]);
  assert.deepEqual(offsets(run([{ type: 'olderRequested' }, older(7, 6)], room)).length, 10);
});

// Typing and presence

test('typing is shown for a while, and a message by the same person ends it', () => {
  const room = run([published(typing(ADA), 1000)], roomAt(3));
  assert.deepEqual(room.typists, [{ user: ADA.user, name: 'Ada', until: 1000 + TYPING_LASTS_MS }]);

  assert.deepEqual(run([published(publication(4))], room).typists, []);
  assert.deepEqual(run([{ type: 'timePassed', now: 1000 + TYPING_LASTS_MS }], room).typists, []);
  assert.deepEqual(run([{ type: 'left', info: ADA }], room).typists, []);
  assert.equal(run([published(typing(ADA), 2000)], room).typists.length, 1);
});

test('oneself is never shown as typing', () => {
  assert.deepEqual(run([published(typing(MYSELF))], roomAt(3)).typists, []);
});

test('a publication without an offset that is not typing is nothing to show', () => {
  const room = roomAt(3);

  assert.equal(run([published({ data: { type: 'confetti' }, info: ADA })], room), room);
});

test('presence comes as a snapshot and is kept by joins and leaves', () => {
  const bob = { user: 'guest-bob', client: 'connection-bob', connInfo: { name: 'Bob' } };
  const room = run(
    [
      { type: 'presenceRead', infos: [ADA, MYSELF] },
      { type: 'joined', info: bob },
    ],
    roomAt(0),
  );
  assert.equal(room.presence.users, 3);

  assert.equal(
    run(
      [
        { type: 'left', info: ADA },
        { type: 'left', info: ADA },
      ],
      room,
    ).presence.users,
    2,
  );
});

test('being refused is told, and forgotten when the room lets us in', () => {
  const room = run([{ type: 'refused', reason: 'permission denied' }], roomAt(3));
  assert.equal(room.refusal, 'permission denied');

  assert.equal(run([subscribed(3)], room).refusal, '');
});
