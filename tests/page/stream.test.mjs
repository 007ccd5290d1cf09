import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reduceRoom } from '../../web/static/room.js';
import { hasNewer, hasOlder, isCurrent } from '../../web/static/stream.js';
import * as make from './make.mjs';

const {
  BOB,
  current,
  deletion,
  edit,
  identified,
  loaded,
  newest,
  offsets,
  page,
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

// First load

test('live publications and the first page make one log, in any order', () => {
  const start = run([identified, subscribed(3)]);
  const events = [
    published(publication(4)),
    published(publication(5)),
    loaded(newest(4)),
    loaded(newest(5)),
    published(publication(4)),
  ];

  for (const order of permutations(events)) {
    assert.deepEqual(offsets(run(order, start)), [1, 2, 3, 4, 5]);
  }
});

test('changes and the first page make one log, in any order', () => {
  const start = run([identified, subscribed(2)]);
  const post = publication(2, { info: BOB });
  const changes = [edit(3, 1, 'better'), reaction(4, 1, '👍'), deletion(5, 2, BOB)];
  const before = page([publication(1), post], 2, { complete: true });
  const better = publication(1, { text: 'better' });
  const between = {
    messages: [
      current(better, { edited: 3000, reactions: { '👍': [make.ADA.user] } }),
      current(post),
    ],
    offset: 4,
    epoch: 'e',
    complete: true,
  };
  const live = changes.map((change) => published(change));
  const wanted = view(run([loaded(before), ...live], start));

  for (const first of [before, between]) {
    for (const order of permutations([loaded(first), ...live])) {
      assert.deepEqual(view(run(order, start)), wanted);
    }
  }
});

test('nothing is shown before the first page, so that there is never a gap to be filled', () => {
  const room = run([identified, subscribed(3), published(publication(4))]);

  assert.deepEqual(offsets(room), []);
  assert.equal(room.loaded, false);
});

test('a page from before the subscribe is not used', () => {
  const room = run([identified, subscribed(9), published(publication(10)), loaded(newest(7))]);

  assert.equal(isCurrent(room), false);
  assert.deepEqual(offsets(room), []);
});

test('where messages are not to be had, the room begins with what comes live', () => {
  const room = run([
    identified,
    subscribed(9),
    published(publication(10)),
    { type: 'messagesUnavailable' },
    published(publication(11)),
  ]);

  assert.deepEqual(offsets(room), [10, 11]);
  assert.equal(hasOlder(room), false);
});

test('in an empty room the first messages may come in any order', () => {
  const start = run([identified, subscribed(0), loaded(newest(0))]);
  const events = [1, 2, 3].map((offset) => published(publication(offset)));

  for (const order of permutations(events)) assert.deepEqual(offsets(run(order, start)), [1, 2, 3]);
});

test('a change that comes before its message waits for it', () => {
  const start = run([identified, subscribed(0), loaded(newest(0))]);
  const said = [publication(1), edit(2, 1, 'better'), edit(3, 1, 'best'), reaction(4, 1, '👍')];
  const events = said.map((each) => published(each));

  const wanted = view(run(events, start));

  assert.deepEqual(texts(run(events, start)), ['best']);
  for (const order of permutations(events)) {
    assert.deepEqual(view(run(order, start)), wanted);
  }
});

test('a gap is noticed, and a page closes it', () => {
  const room = run([published(publication(6))], roomAt(3));
  assert.equal(isCurrent(room), false);
  assert.deepEqual(offsets(room), [1, 2, 3]);

  const closed = run([loaded(newest(5))], room);

  assert.deepEqual(offsets(closed), [1, 2, 3, 4, 5, 6]);
  assert.equal(isCurrent(closed), true);
});

test('what waits for a page is bounded, and another page closes the gap that this makes', () => {
  const flood = Array.from({ length: 1500 }, (_, index) => published(publication(index + 10)));
  const room = run(flood, run([identified, subscribed(9)]));
  assert.equal(room.held.length, 1000);
  assert.equal(isCurrent(run([loaded(newest(9, 5))], room)), false);

  const closed = run([loaded(newest(9, 5)), loaded(newest(1200, 5))], room);

  assert.equal(isCurrent(closed), true);
  assert.equal(offsets(closed).at(-1), 1509);
});

// Changes of what is not loaded

test('a change of an older message than those loaded is nothing, and holds nothing up', () => {
  const room = run(
    [published(edit(11, 2, 'better')), published(deletion(12, 3)), published(publication(13))],
    roomAt(10, 3),
  );

  assert.deepEqual(offsets(room), [8, 9, 10, 13]);
  assert.equal(isCurrent(room), true);
});

// Resume

test('a recovered resume goes on where it was', () => {
  const room = run(
    [
      subscribed(4, { recovered: true }),
      published(publication(4)),
      published(publication(4)),
      published(edit(5, 4, 'better')),
    ],
    roomAt(3),
  );

  assert.deepEqual(texts(room), ['message 1', 'message 2', 'message 3', 'better']);
  assert.equal(isCurrent(room), true);
});

test('a new subscription to a room in which nothing was said needs no page', () => {
  const before = roomAt(3);

  const room = run([subscribed(3), published(publication(4))], before);

  assert.deepEqual(offsets(room), [1, 2, 3, 4]);
  assert.equal(isCurrent(room), true);
});

test('after an unrecovered resume the old log stays, as it was, until a page replaces it', () => {
  const before = roomAt(5);
  const away = run(
    [subscribed(400), published(publication(401)), published(deletion(402, 5))],
    before,
  );
  assert.equal(away.log, before.log);
  assert.equal(away.loaded, true);
  assert.equal(isCurrent(away), false);

  const room = reduceRoom(away, loaded(newest(401, 3)));

  assert.deepEqual(offsets(room), [399, 400, 401]);
  assert.equal(hasOlder(room), true);
  assert.equal(isCurrent(room), true);
});

test('of the old log nothing is kept: what was changed in the gap is not known of it', () => {
  const better = publication(2, { text: 'better' });
  const pages = [page([publication(8)], 8), page([better, publication(4)], 9, { complete: true })];

  const room = run([subscribed(8), loaded(...pages)], roomAt(5));

  assert.deepEqual(texts(room), ['better', 'message 4', 'message 8']);
  assert.equal(room.floor, 2);
});

test('of several pages each has in it what it was read with', () => {
  const better = publication(2, { text: 'best' });
  const events = [edit(9, 2, 'better'), edit(10, 2, 'best'), edit(11, 8, 'new')];
  const pages = [page([publication(8)], 8), page([better], 10, { complete: true })];
  const away = run([subscribed(8), ...events.map((event) => published(event))], roomAt(5));

  assert.deepEqual(texts(run([loaded(...pages)], away)), ['best', 'new']);
});

test('a second unrecovered resume before the first was filled leaves no gap', () => {
  const room = run(
    [
      subscribed(400),
      published(publication(401)),
      subscribed(900),
      published(publication(901)),
      loaded(newest(401, 2)),
      loaded(newest(901, 2)),
    ],
    roomAt(5),
  );

  assert.deepEqual(offsets(room), [900, 901]);
});

test('another epoch is another log, and takes the place of the old one in one step', () => {
  const before = roomAt(5);
  const away = run([subscribed(1, { epoch: 'f' }), loaded(newest(5))], before);
  assert.equal(away.log, before.log);
  assert.equal(isCurrent(away), false);

  const room = run([loaded({ ...newest(1), epoch: 'f' }), published(publication(2))], away);

  assert.deepEqual(offsets(room), [1, 2]);
});

test('a sequence of which the server lost the end is read anew', () => {
  const away = run([subscribed(4)], roomAt(6));
  assert.equal(isCurrent(away), false);

  const room = run([published(publication(5)), loaded(newest(4))], away);

  assert.deepEqual(offsets(room), [1, 2, 3, 4, 5]);
});

// Older messages

const requested = { type: 'olderRequested' };
const older = (before, count, top = 10, each = publication) => ({
  type: 'olderLoaded',
  before,
  page: page(
    Array.from({ length: count }, (_, index) => each(before - count + index)),
    top,
    { complete: before - count <= 1 },
  ),
});

test('older messages go on top, down to the first', () => {
  const room = run([requested, older(8, 4), requested, older(4, 3)], roomAt(10, 3));

  assert.deepEqual(offsets(room), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(hasOlder(room), false);
});

test('a page with fewer messages than asked for says that older ones are not kept', () => {
  const last = { ...older(8, 2), page: { ...older(8, 2).page, complete: true } };
  const room = run([requested, last], roomAt(10, 3));

  assert.equal(hasOlder(room), false);
  assert.deepEqual(offsets(room), [6, 7, 8, 9, 10]);
  const none = { ...older(8, 0), page: page([], 10, { complete: true }) };
  assert.equal(hasOlder(run([requested, none], roomAt(10, 3))), false);
});

test('what is changed while older messages load is changed in them, whichever comes first', () => {
  const change = published(edit(11, 6, 'better'));
  const before = older(8, 4, 10);
  const after = older(8, 4, 11, (offset) =>
    publication(offset, { text: offset === 6 ? 'better' : `message ${offset}` }),
  );

  for (const events of [
    [requested, change, before],
    [requested, before, change],
    [requested, change, after],
    [requested, after, change],
  ]) {
    const room = run(events, roomAt(10, 3));
    assert.deepEqual(texts(room).slice(0, 4), ['message 4', 'message 5', 'better', 'message 7']);
    assert.equal(isCurrent(room), true);
  }
});

test('older messages for a log that was reloaded meanwhile are not used', () => {
  const room = run(
    [requested, subscribed(900), loaded(newest(900, 2)), older(8, 7)],
    roomAt(10, 3),
  );

  assert.deepEqual(offsets(room), [899, 900]);
});

test('a failed request can be repeated', () => {
  const room = run([requested, { type: 'olderFailed' }], roomAt(10, 3));

  assert.equal(room.older, 'failed');
  assert.equal(hasOlder(room), true);
});

test('a log that grows at its end is cut at the top, and can be loaded again', () => {
  const start = { ...roomAt(10), most: 8 };
  const live = [11, 12].map((offset) => published(publication(offset)));

  const room = run(live, start);

  assert.deepEqual(offsets(room), [4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert.equal(hasOlder(room), true);
  const whole = run([requested, older(4, 3, 12)], { ...room, most: 20 });
  assert.deepEqual(offsets(whole).length, 12);
});

test('what is new does not push out what somebody reads: it is not shown until they get there', () => {
  const reading = { ...roomAt(4), most: 4, isReading: true };

  const room = run([5, 6].map((offset) => published(publication(offset))), reading);

  assert.deepEqual(offsets(room), [1, 2, 3, 4]);
  assert.equal(hasNewer(room), true);
  assert.equal(room.position, 6);
  assert.equal(isCurrent(room), true);
});

test('older messages push out the newest ones, and these come back', () => {
  const room = run([requested, older(8, 4)], { ...roomAt(10, 3), most: 5 });
  assert.deepEqual(offsets(room), [4, 5, 6, 7, 8]);
  assert.equal(hasNewer(room), true);

  const back = run([newerRequested, newer(8, [9, 10], 10)], room);

  assert.deepEqual(offsets(back), [6, 7, 8, 9, 10]);
  assert.equal(hasNewer(back), false);
  assert.deepEqual(offsets(run([published(publication(11))], back)).at(-1), 11);
});

// Newer messages, where the window ends before them

const newerRequested = { type: 'newerRequested' };
const newer = (after, said, top, end = true) => ({
  type: 'newerLoaded',
  after,
  page: page(
    said.map((offset) => publication(offset)),
    top,
    { end },
  ),
});
const inThePast = (top) =>
  run([{ type: 'moved' }, loaded(page([1, 2, 3].map((offset) => publication(offset)), top, { end: false, complete: true }))], roomAt(top, 2));

test('a jump replaces the window, and what comes meanwhile is not lost', () => {
  const before = roomAt(10, 2);
  const moving = run([{ type: 'moved' }, published(edit(11, 2, 'better')), published(publication(12))], before);
  assert.deepEqual(offsets(moving), [9, 10]);

  const there = page([1, 2, 3].map((offset) => publication(offset)), 10, { end: false, complete: true });
  const room = run([loaded(there)], moving);

  assert.deepEqual(texts(room), ['message 1', 'better', 'message 3']);
  assert.equal(room.position, 12);
  assert.equal(hasNewer(room), true);
});

test('what is said while newer messages load joins the log with them, whichever comes first', () => {
  const events = [published(publication(6)), published(edit(7, 5, 'better')), published(publication(8))];
  const reply = newer(3, [4, 5], 5);

  for (let place = 0; place <= events.length; place += 1) {
    const room = run([newerRequested, ...events.toSpliced(place, 0, reply)], inThePast(5));

    assert.deepEqual(texts(room).slice(3), ['message 4', 'better', 'message 6', 'message 8']);
    assert.equal(hasNewer(room), false);
  }
});

test('a reply from before what was seen already does not make the window end in a hole', () => {
  const start = run([published(publication(6))], inThePast(5));

  const room = run([newerRequested, newer(3, [4, 5], 5)], start);

  assert.deepEqual(offsets(room), [1, 2, 3]);
  assert.equal(hasNewer(room), true);
});

test('a window that newer messages make too long loses the oldest ones', () => {
  const room = run([newerRequested, newer(3, [4, 5, 6], 9, false)], { ...inThePast(9), most: 4 });

  assert.deepEqual(offsets(room), [3, 4, 5, 6]);
  assert.equal(hasOlder(room), true);
  assert.equal(hasNewer(room), true);
});

test('a room that nobody looks at keeps its newest messages, and goes on from them', () => {
  const away = run([{ type: 'hidden' }], inThePast(9));
  assert.deepEqual(offsets(away), []);

  const room = run([published(publication(10))], away);

  assert.deepEqual(offsets(room), [10]);
  assert.equal(hasOlder(room), true);
  assert.equal(run([{ type: 'hidden' }], roomAt(200)).log.length, 50);
});

test('what comes while a page loads is kept within a bound: beyond it the page is asked for anew', () => {
  const flood = Array.from({ length: 1001 }, (_, index) => published(publication(index + 11)));

  const room = run([requested, ...flood], { ...roomAt(10, 3), most: 5000 });

  assert.equal(room.older, 'failed');
  assert.equal(room.missed.length, 0);
  assert.equal(isCurrent(room), true);
});
