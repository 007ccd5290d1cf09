import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TYPING_LASTS_MS } from '../../web/static/room.js';
import { newSince } from '../../web/static/stream.js';
import * as make from './make.mjs';

const {
  ADA,
  BOB,
  MYSELF,
  deletion,
  edit,
  loaded,
  newest,
  offsets,
  permutations,
  publication,
  published,
  reaction,
  roomAt,
  run,
  subscribed,
  texts,
  view,
} = make;

const typing = (info) => ({ data: { type: 'typing' }, info });
const request = { type: 'sendRequested', key: 'mine', text: 'hello', time: 5 };
const reply = { type: 'sent', key: 'mine', offset: 4, epoch: 'e' };
const own = published(publication(4, { info: MYSELF, key: 'mine', text: 'hello' }));

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
    loaded(newest(4, 4, (offset) => (offset === 4 ? own.publication : publication(offset)))),
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

test('a message whose reply comes first is no longer on its way, and stays where it was', () => {
  const room = run([request, reply], roomAt(3));

  assert.deepEqual(view(room).unsent, ['mine sent']);
  assert.deepEqual(view(run([own], room)).unsent, []);
});

test('a reply that overtakes an earlier publication of somebody else leaves it its place', () => {
  const mine = published(publication(5, { info: MYSELF, key: 'mine', text: 'hello' }));
  const room = run([request, { ...reply, offset: 5 }, published(publication(4))], roomAt(3));
  assert.deepEqual(offsets(room), [1, 2, 3, 4]);
  assert.deepEqual(view(room).unsent, ['mine sent']);

  const done = run([mine], room);

  assert.deepEqual(offsets(done), [1, 2, 3, 4, 5]);
  assert.deepEqual(done.unsent, []);
});

test('the reply to a message further up than what is loaded makes no hole', () => {
  const room = run(
    [request, subscribed(900), loaded(newest(900, 2)), { ...reply, duplicate: true }],
    roomAt(3),
  );

  assert.deepEqual(offsets(room), [899, 900]);
  assert.deepEqual(room.unsent, []);
});

test('a message that is stored stays on screen until a page has it', () => {
  const away = run([request, reply, subscribed(400)], roomAt(3));
  assert.deepEqual(view(away).unsent, ['mine sent']);

  assert.deepEqual(run([loaded(newest(400, 2))], away).unsent, []);
});

test('a message stored in another epoch than ours is not waited for', () => {
  assert.deepEqual(run([request, { ...reply, epoch: 'f' }], roomAt(3)).unsent, []);
  assert.deepEqual(run([request, reply, subscribed(9, { epoch: 'f' })], roomAt(3)).unsent, []);
});

test('what waits to be sent stays as it is through a reload', () => {
  const waiting = { ...request, key: 'waiting' };
  const failed = { type: 'sendFailed', key: 'mine', problem: 'too long' };

  const room = run([request, failed, waiting, subscribed(400), loaded(newest(400, 2))], roomAt(3));

  assert.deepEqual(view(room).unsent, ['mine failed', 'waiting pending']);
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
    {
      key: 'mine',
      text: 'hello',
      reply: null,
      mentions: {},
      files: [],
      time: 5,
      state: 'failed',
      place: null,
      problem: 'too long',
    },
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
  const room = run(
    [
      { type: 'presenceRead', infos: [ADA, MYSELF] },
      { type: 'joined', info: BOB },
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

// Who is who, and what is new

test('names are known from presence, from what was said and from who reacted', () => {
  const cleo = { user: 'guest-cleo', client: 'connection-cleo', connInfo: { name: 'Cleo' } };
  const room = run(
    [{ type: 'joined', info: cleo }, published(reaction(4, 3, '👍', { info: BOB }))],
    roomAt(3),
  );

  assert.deepEqual(
    [ADA, BOB, cleo].map(({ user }) => room.names.get(user)),
    ['Ada', 'Bob', 'Cleo'],
  );
});

test('new is what others said and did not take back; a change says nothing new', () => {
  const room = run(
    [
      published(publication(4)),
      published(publication(5, { info: MYSELF })),
      published(edit(6, 4, 'better')),
      published(publication(7)),
      published(deletion(8, 7)),
    ],
    roomAt(3),
  );

  assert.deepEqual(
    newSince(room, 3).map(({ offset }) => offset),
    [4],
  );
  assert.deepEqual(newSince(room, 4), []);
  assert.equal(texts(room).at(-1), '-');
});

test('what comes while one reads further up is new, too, and once', () => {
  const above = { ...roomAt(4), most: 4, isReading: true };
  const news = (room) => newSince(room, 4).map(({ offset }) => offset);

  const beyond = run([published(publication(5)), published(publication(6, { info: MYSELF }))], above);
  assert.deepEqual([offsets(beyond), news(beyond)], [[1, 2, 3, 4], [5]]);

  const down = run([{ type: 'newerRequested' }], beyond);
  const joined = run([{ type: 'newerLoaded', page: make.page([publication(5)], 6), after: 4 }], down);
  assert.deepEqual([joined.log.at(-1).offset, news(joined)], [5, [5]]);

  const many = Array.from({ length: 300 }, (_, index) => published(publication(5 + index)));
  assert.equal(news(run(many, above)).length, 100);
});

test('who leaves for another place does not read there until they say so', () => {
  const room = run([{ type: 'reading', isReading: true }, { type: 'moved' }], roomAt(3));

  assert.equal(room.isReading, false);
});
