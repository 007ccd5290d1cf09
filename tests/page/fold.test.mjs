// However entries reach a page, it shows what the server says the messages are.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reduceRoom } from '../../web/static/room.js';
import { covers, hasNewer, hasOlder, isCurrent } from '../../web/static/stream.js';
import {
  ADA,
  BOB,
  ME,
  MYSELF,
  identified,
  loaded,
  published,
  randomFrom,
  run,
  view,
} from './make.mjs';
import { ModelRoom } from './model.mjs';

const RUNS = 150;
const STEPS = 150;
const PAGE = 5;
const MOST = 12;
const PEOPLE = [ADA, BOB, MYSELF];

/**
 * A page, the wire and a server that others use too. On the wire publications keep their order, and
 * replies overtake them; what is under way when it breaks is lost.
 */
class World {
  server = new ModelRoom();
  room = { ...run([identified]), most: MOST };
  #random;
  #isConnected = false;
  #position = null; // of the SDK
  #live = [];
  #replies = [];
  #keys = 0;
  #target = 1;
  #isShown = true;
  #acknowledged = [];
  #logged = new Set();

  constructor(seed) {
    this.#random = randomFrom(seed);
    // One room in two was made just now.
    const before = this.#below(2) === 0 ? this.#below(2) : this.#below(20);
    for (let said = before; said > 0; said -= 1) this.#say(this.#one(PEOPLE));
    this.#isShown = this.#below(2) === 0;
    this.#connect();
  }

  step() {
    const steps = [
      [8, () => this.#say(this.#one(PEOPLE))],
      [6, () => this.#deliver()],
      [5, () => this.#reply()],
      [2, () => this.#repeat()],
      [5, () => this.#askOlder()],
      [4, () => this.#askNewer()],
      [3, () => this.#askNewest()],
      [2, () => this.#jump()],
      [2, () => this.#dispatch({ type: 'reading', isReading: this.#below(2) === 0 })],
      [1, () => this.#lookAway()],
      [this.#isShown ? 0 : 5, () => this.#look()],
      [3, () => this.#send()],
      this.#isConnected ? [1, () => this.#disconnect()] : [9, () => this.#connect()],
      [1, () => this.#below(10) === 0 && this.#restart()],
    ];
    let chance = this.#below(steps.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, act] of steps) {
      chance -= weight;
      if (chance < 0) return act();
    }
  }

  /** What the server has acknowledged is in sight until it has been in the log, unless the window is elsewhere. */
  checkOwn() {
    const { room, server } = this;
    for (const { offset } of room.log) this.#logged.add(`${room.epoch} ${offset}`);
    for (const { key, offset, epoch } of this.#acknowledged) {
      if (epoch !== server.epoch || epoch !== room.epoch) continue;
      if (this.#logged.has(`${epoch} ${offset}`)) continue;
      const isOnItsWay = room.unsent.some((unsent) => unsent.key === key);
      const isElsewhere = offset < room.floor || (!room.atEnd && offset > room.ceiling);
      assert.ok(isOnItsWay || isElsewhere, `${key} at ${offset} is lost`);
    }
  }

  /** All that is under way arrives, and the page loads until it is current. */
  settle() {
    if (!this.#isConnected) this.#connect();
    for (let turn = 0; turn < 5; turn += 1) {
      while (this.#live.length > 0 || this.#replies.length > 0) {
        this.#deliver();
        this.#reply();
      }
      if (isCurrent(this.room) && !this.#hasPending) return;
      this.#askNewest();
      this.#sendPending();
    }
    assert.fail('the page does not come to rest');
  }

  /** Every message is shown as it was at the room's position, or at that of a later page. */
  check() {
    const { room, server } = this;
    if (!room.synced || room.epoch !== server.epoch) return;
    const { log } = shownBy(room);
    for (const position of new Set([room.position, ...room.log.map(({ asOf }) => asOf)])) {
      if (position < room.position) continue;
      const then = new ModelRoom();
      for (const { info, data } of server.entries.slice(0, position)) then.store(info, data);
      const isOfThen = ({ offset }) => {
        const entry = room.log.find((each) => each.offset === offset);
        return entry ? Math.max(entry.asOf, room.position) === position : covers(room, offset);
      };
      const wanted = shown(then.messages()).log.filter(
        ({ offset }) => offset <= Math.max(room.position, room.ceiling) && isOfThen({ offset }),
      );

      assert.deepEqual(log.filter(isOfThen), wanted);
    }
  }

  get #hasPending() {
    return this.room.unsent.some(({ state }) => state === 'pending');
  }

  #below(count) {
    return Math.floor(this.#random() * count);
  }

  #one(items) {
    return items[this.#below(items.length)];
  }

  #dispatch(event) {
    this.room = reduceRoom(this.room, event);
  }

  #say(speaker) {
    // Often the same message, and often its author: so changes pile up on it.
    if (this.#below(8) === 0) this.#target = Math.max(1, this.server.offset - this.#below(20));
    const target = this.#target;
    const author = this.server.entries[target - 1]?.info ?? speaker;
    const info = this.#below(3) === 0 ? speaker : author;
    const text = `said at ${this.server.offset}`;
    const emoji = this.#one(['👍', '🎉', '7', 'constructor']);
    const data = this.#one([
      { type: 'message', key: `other-${(this.#keys += 1)}`, text },
      { type: 'message', key: `other-${(this.#keys += 1)}`, text },
      { type: 'poll', text, options: [1, 2] },
      { type: 'topic', topic: text },
      null,
      { type: 'edit', target, text },
      { type: 'edit', target, text },
      ...(this.#below(4) === 0 ? [{ type: 'delete', target }] : []),
      { type: 'reaction', target, emoji, on: true },
      { type: 'reaction', target, emoji, on: true },
      { type: 'reaction', target, emoji, on: this.#random() < 0.5 },
    ]);
    this.#store(info, data);
  }

  #store(info, data) {
    const publication = this.server.store(info, data);
    if (publication && this.#isConnected) this.#live.push(publication);
    return publication;
  }

  #deliver() {
    const publication = this.#live.shift();
    if (!publication) return;
    this.#position = { offset: publication.offset, epoch: this.server.epoch };
    this.#dispatch(published(publication));
  }

  /** Comes once more, as no server of ours would have it. */
  #repeat() {
    const { position } = this.room;
    if (!this.#position || this.#position.epoch !== this.server.epoch) return;
    const again = this.server.entries[this.#below(Math.min(position, this.#position.offset))];
    if (again) this.#dispatch(published(again));
  }

  #reply() {
    const [reply] = this.#replies.splice(this.#below(this.#replies.length), 1);
    if (!reply) return;
    this.#dispatch(reply);
    if (reply.type === 'sent') this.#acknowledged.push(reply);
  }

  #askNewest() {
    if (this.#isConnected && !isCurrent(this.room)) {
      if (!this.#isShown) return this.#dispatch({ type: 'begun' });
      this.#replies.push(loaded(this.server.messages({ limit: PAGE })));
    }
  }

  #askOlder() {
    const { floor, synced, older } = this.room;
    if (!this.#isConnected || !synced || older === 'loading') return;
    this.#dispatch({ type: 'olderRequested' });
    const page = this.server.messages({ before: floor, limit: PAGE });
    this.#replies.push({ type: 'olderLoaded', page, before: floor });
  }

  #askNewer() {
    const { ceiling, synced, newer } = this.room;
    if (!this.#isConnected || !synced || !hasNewer(this.room) || newer === 'loading') return;
    this.#dispatch({ type: 'newerRequested' });
    const page = this.server.messages({ after: ceiling, limit: PAGE });
    this.#replies.push({ type: 'newerLoaded', page, after: ceiling });
  }

  /** The window goes to some message, with the two pages around it: read one after the other. */
  #jump() {
    if (!this.#isConnected || this.server.offset === 0) return;
    this.#dispatch({ type: 'moved' });
    this.#askAround(1 + this.#below(this.server.offset));
  }

  #askAround(offset) {
    const older = this.server.messages({ before: offset + 1, limit: PAGE });
    if (this.#below(2) === 0) this.#say(this.#one(PEOPLE));
    this.#replies.push(loaded(this.server.messages({ after: offset, limit: PAGE }), older));
  }

  #lookAway() {
    this.#isShown = false;
    this.#dispatch({ type: 'hidden' });
    this.room = { ...this.room, most: MOST };
  }

  /** Comes back, and loads what there is if that fills no screen. */
  #look() {
    this.#isShown = true;
    this.#dispatch({ type: 'shown' });
    this.room = { ...this.room, most: MOST };
    const { loaded: isLoaded, atEnd, log } = this.room;
    if (isLoaded && atEnd && (log.length >= PAGE || !hasOlder(this.room))) return;
    this.#dispatch({ type: 'moved' });
    this.#askNewest();
  }

  #send() {
    const key = `mine-${(this.#keys += 1)}`;
    this.#dispatch({ type: 'sendRequested', key, text: key, time: 0 });
    this.#sendPending();
  }

  #sendPending() {
    if (!this.#isConnected || !isCurrent(this.room)) return;
    for (const { key, text, state } of this.room.unsent) {
      if (state !== 'pending') continue;
      const { epoch, entries } = this.server;
      const first = entries.find(({ info, data }) => info.user === ME && data?.key === key);
      const { offset } = first ?? this.#store(MYSELF, { type: 'message', key, text });
      this.#replies.push({ type: 'sent', key, offset, epoch });
    }
  }

  #disconnect() {
    this.#isConnected = false;
    this.#live = [];
    const isLoading = this.#replies.some(({ type }) => type === 'olderLoaded');
    if (isLoading) this.#dispatch({ type: 'olderFailed' });
    const isLoadingNewer = this.#replies.some(({ type }) => type === 'newerLoaded');
    if (isLoadingNewer) this.#dispatch({ type: 'newerFailed' });
    this.#replies = [];
  }

  #connect() {
    const { publications, ...reply } = this.server.resume(this.#position);
    this.#isConnected = true;
    this.#position = { offset: reply.offset, epoch: reply.epoch };
    this.#live.push(...publications);
    this.#dispatch({ type: 'subscribed', ...reply });
  }

  #restart() {
    if (this.#isConnected) this.#disconnect();
    this.server.begin();
    this.#connect();
  }
}

/** What a page that is opened now shows of these messages. */
function shown(page) {
  const { offset, epoch } = page;
  return shownBy(run([{ type: 'subscribed', epoch, offset, recovered: false }, loaded(page)]));
}

/** Of data that has no time in it, the time is told in pages only: seen once its data is gone. */
function shownBy(room) {
  const { log, unsent } = view(room);
  return {
    log: log.map(({ time, ...rest }) => (rest.kind === 'deleted' ? rest : { time, ...rest })),
    unsent,
  };
}

function seeds(count) {
  const only = process.env.PAGE_TEST_SEED;
  return only ? [Number(only)] : Array.from({ length: count }, (_, seed) => seed);
}

test('in whatever order things happen, a page shows what the server would tell it', () => {
  for (const seed of seeds(RUNS)) {
    const world = new World(seed);
    try {
      for (let step = 0; step < STEPS; step += 1) {
        world.step();
        world.check();
        world.checkOwn();
      }
      world.settle();
      world.check();
      world.checkOwn();

      const { room, server } = world;
      assert.equal(room.position, server.offset);
      const wanted = shown(server.messages()).log.filter(
        ({ offset }) => offset >= room.floor && (room.atEnd || offset <= room.ceiling),
      );
      assert.deepEqual(shownBy(room), { log: wanted, unsent: [] });
      assert.ok(room.log.length <= MOST * 1.25);
    } catch (error) {
      error.message = `PAGE_TEST_SEED=${seed}: ${error.message}`;
      throw error;
    }
  }
});
