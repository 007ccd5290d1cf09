import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { END, LiveRoom } from '../../web/static/live-room.js';
import { EMPTY_ROOM, reduceRoom } from '../../web/static/room.js';
import { hasNewer, isCurrent } from '../../web/static/stream.js';
import { ADA, MYSELF, offsets } from './make.mjs';
import { ModelRoom } from './model.mjs';

const shown = [];
afterEach(() => shown.splice(0).forEach((live) => live.hide()));

/** A room on a server, and the SDK in front of it: its calls are answered in the next turn. */
function setUp(said, { read = null, isShown = true, known = Promise.resolve() } = {}) {
  const server = new ModelRoom();
  const handlers = new Map();
  const calls = [];
  const failures = [];
  let room = EMPTY_ROOM;

  const subscription = {
    state: 'unsubscribed',
    on: (event, handler) => handlers.set(event, handler),
    presence: async () => ({ clients: {} }),
    presenceStats: async () => ({ numClients: 0 }),
    subscribe: () => {},
    unsubscribe: () => {},
  };
  const answers = {
    messages: ({ before, after, limit }) => server.messages({ before, after, limit }),
    send: ({ key, text }) => {
      const { offset } = server.store(MYSELF, { type: 'message', key, text });
      return { offset, epoch: server.epoch };
    },
    edit: ({ key: _key, channel: _channel, ...fields }) => {
      const { offset } = server.store(MYSELF, { type: 'edit', ...fields });
      return { offset, epoch: server.epoch };
    },
  };
  const centrifuge = {
    newSubscription: () => subscription,
    rpc: async (method, data) => {
      if (method === 'members') return { data: { members: [] } }; // (who is there: presence.test.mjs)
      calls.push({ method, ...data });
      const failure = failures.shift();
      const answer = failure ?? { data: answers[method](data) };
      await turn();
      if (failure) throw failure;
      return answer;
    },
  };
  const dispatch = (event) => {
    room = reduceRoom(room, event);
  };
  const taken = [];
  const live = new LiveRoom(centrifuge, 'lobby', {
    room: () => room,
    dispatch,
    onNameTaken: (reason) => taken.push(reason),
    newFrom: () => known.then(() => read),
  });
  shown.push(live);
  if (isShown) live.show(null);

  const say = (count) => {
    for (let index = 0; index < count; index += 1) {
      server.store(ADA, { type: 'message', key: `k${server.offset}`, text: 'x' });
    }
  };
  const subscribe = (recovered = false) => {
    subscription.state = 'subscribed';
    const streamPosition = { epoch: server.epoch, offset: server.offset };
    handlers.get('subscribed')({ recovered, streamPosition });
    return rest();
  };
  const unsubscribe = (code) => handlers.get('unsubscribed')({ code, reason: `because ${code}` });
  const show = (offset) => handlers.get('publication')(server.entries[offset - 1]);
  say(said);
  return {
    live,
    server,
    calls,
    failures,
    taken,
    dispatch,
    say,
    subscribe,
    unsubscribe,
    show,
    room: () => room,
  };
}

function turn() {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Lets everything run that waits for no timer. */
async function rest() {
  for (let turns = 0; turns < 100; turns += 1) await turn();
}

const from = (first, last) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

test('a room says when somebody in it has the name, on the way in or later, and nothing else', () => {
  const { taken, unsubscribe } = setUp(0);

  for (const code of [0, 103, 409, 2100, 2000]) unsubscribe(code);

  assert.deepEqual(taken, ['because 409', 'because 2100']);
});

test('a room begins with its newest messages', async () => {
  const { calls, subscribe, room } = setUp(120);

  await subscribe();

  assert.deepEqual(calls, [{ method: 'messages', channel: 'lobby', limit: 50 }]);
  assert.deepEqual(offsets(room()), from(71, 120));
  assert.equal(room().complete, false);
});

test('a room with fewer messages is there as a whole', async () => {
  const { subscribe, room } = setUp(49);

  await subscribe();

  assert.equal(room().complete, true);
});

test('older messages come before the first one shown, until there are none', async () => {
  const { live, subscribe, room } = setUp(120);
  await subscribe();

  await live.loadOlder();
  assert.deepEqual(offsets(room()), from(21, 120));
  assert.equal(room().complete, false);

  await live.loadOlder();
  assert.deepEqual(offsets(room()), from(1, 120));
  assert.equal(room().complete, true);
});

test('after a long absence the newest messages take the place of the old ones', async () => {
  const { say, subscribe, room } = setUp(120);
  await subscribe();

  say(400);
  await subscribe();

  assert.deepEqual(offsets(room()), from(471, 520));
});

test('what somebody reads further up is not taken away by a reload', async () => {
  const { live, calls, say, subscribe, room } = setUp(120);
  await subscribe();
  live.reading = 80;

  say(400);
  await subscribe();

  assert.deepEqual(offsets(room()), from(31, 130));
  assert.equal(hasNewer(room()), true);
  assert.equal(isCurrent(room()), true);
  assert.deepEqual(
    calls.slice(1).map(({ before, after }) => before ?? after),
    [80, 81],
  );
});

test('a jump shows a message in its context, wherever it is, and says if it is gone', async () => {
  const { live, calls, subscribe, room } = setUp(500);
  await subscribe();

  await live.go({ offset: 200, as: 'marked' });

  assert.deepEqual(offsets(room()), from(151, 250));
  assert.deepEqual(room().spot, { offset: 200, as: 'marked', isThere: true });
  assert.equal(calls.length, 3);
  await live.go({ offset: 210, as: 'marked' });
  assert.equal(calls.length, 3);
  await live.go({ offset: 999, as: 'marked' });
  assert.equal(room().spot.isThere, false);
  assert.equal(hasNewer(room()), false);
});

test('newer messages come after the last one shown, until there are none', async () => {
  const { live, subscribe, room } = setUp(230);
  await subscribe();
  await live.go({ offset: 100, as: 'marked' });

  for (let turns = 0; turns < 3; turns += 1) await live.loadNewer();

  assert.equal(hasNewer(room()), false);
  assert.equal(offsets(room()).at(-1), 230);
  await live.go(END);
  assert.equal(room().spot.as, 'end');
});

test('a room opens where one stopped reading', async () => {
  const { subscribe, room } = setUp(500, { read: 300 });

  await subscribe();

  assert.deepEqual(offsets(room()), from(251, 350));
  assert.equal(room().divider, 300);
  assert.equal(room().spot.as, 'new');
});

test('a room that is entered before it is known where one stopped is read once, then', async () => {
  let tell;
  const known = new Promise((resolve) => {
    tell = resolve;
  });
  const { calls, subscribe, room } = setUp(60, { known });
  await subscribe();
  assert.deepEqual(calls, []);

  tell();
  await rest();

  assert.equal(calls.length, 1);
  assert.deepEqual(offsets(room()), from(11, 60));
});

test('a room in the background loads nothing, and keeps what comes', async () => {
  const { live, calls, say, show, subscribe, room } = setUp(500, { isShown: false });

  await subscribe();
  say(1);
  show(501);
  assert.deepEqual(calls, []);
  assert.deepEqual(offsets(room()), [501]);

  live.show(null);
  await rest();

  assert.deepEqual(offsets(room()), from(452, 501));
});

test('a name that is taken in a room in the background ends nothing', () => {
  const { taken, unsubscribe } = setUp(0, { isShown: false });

  unsubscribe(409);

  assert.deepEqual(taken, []);
});

test('a recovered subscription reads nothing', async () => {
  const { calls, say, show, subscribe, room } = setUp(3);
  await subscribe();

  say(1);
  const resumed = subscribe(true);
  show(4);
  await resumed;

  assert.equal(calls.length, 1);
  assert.deepEqual(offsets(room()), [1, 2, 3, 4]);
});

test('a gap in what comes live is closed by a page', async () => {
  const { calls, say, show, subscribe, room } = setUp(3);
  await subscribe();

  say(4);
  show(5);
  await turn();
  show(6);
  await rest();

  assert.deepEqual(offsets(room()), [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(calls.length, 2);
});

test('what is unsent goes out after the reload, and not before', async () => {
  const { live, calls, dispatch, say, subscribe, room } = setUp(3);
  await subscribe();
  say(400);
  dispatch({ type: 'sendRequested', key: 'mine', text: 'hello', time: 0 });
  const resumed = subscribe();
  await live.flush();
  assert.ok(calls.every(({ method }) => method === 'messages'));

  await resumed;
  await rest();

  assert.deepEqual(
    calls.map(({ method }) => method),
    ['messages', 'messages', 'send'],
  );
  assert.equal(room().unsent[0]?.state, 'sent');
});

test('a server that knows no messages leaves the room with what comes live', async () => {
  const { failures, say, show, subscribe, room } = setUp(3);
  failures.push({ code: 104, message: 'method not found' });
  await subscribe();
  assert.equal(isCurrent(room()), true);

  say(1);
  show(4);

  assert.deepEqual(offsets(room()), [4]);
});

test('a page that cannot be had now is asked for again', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { failures, subscribe, room } = setUp(3);
  failures.push({ code: 100, message: 'internal server error', temporary: true });
  await subscribe();
  assert.equal(isCurrent(room()), false);

  context.mock.timers.tick(10_000);
  await rest();

  assert.deepEqual(offsets(room()), [1, 2, 3]);
});

test('older messages that cannot be had can be asked for again', async () => {
  const { live, failures, subscribe, room } = setUp(120);
  await subscribe();
  failures.push({ code: 1, message: 'timeout' });

  await live.loadOlder();
  assert.equal(room().older, 'failed');

  await live.loadOlder();
  assert.equal(room().floor, 21);
});

test('what a message answers and whom it mentions goes with it, and nothing where there is none', async () => {
  const { live, calls, dispatch, subscribe } = setUp(3);
  await subscribe();
  calls.length = 0;

  const mentions = { ada: 'Ada' };
  dispatch({ type: 'sendRequested', key: 'a', text: '@Ada', time: 0, reply: 2, mentions });
  dispatch({ type: 'sendRequested', key: 'b', text: 'b', time: 0 });
  await live.flush();

  assert.deepEqual(calls, [
    { method: 'send', channel: 'lobby', key: 'a', text: '@Ada', reply: 2, mentions },
    { method: 'send', channel: 'lobby', key: 'b', text: 'b' },
  ]);
});

test('a change of ours goes out with its key', async () => {
  const { live, server, calls, dispatch, subscribe, room } = setUp(3);
  server.store(MYSELF, { type: 'message', key: 'm', text: 'x' });
  await subscribe();
  calls.length = 0;

  const wish = { type: 'edit', target: 4, text: 'better' };
  dispatch({ type: 'changeRequested', key: 'c', wish, time: 0 });
  await live.flush();

  assert.deepEqual(calls, [
    { method: 'edit', channel: 'lobby', key: 'c', target: 4, text: 'better' },
  ]);
  assert.equal(room().changes[0].state, 'sent');
});

test('a change that is refused says why', async () => {
  const { live, failures, dispatch, subscribe, room } = setUp(3);
  await subscribe();

  failures.push({ code: 107, message: 'bad request: too long', temporary: false });
  const wish = { type: 'edit', target: 2, text: 'better' };
  dispatch({ type: 'changeRequested', key: 'c', wish, time: 0 });
  await live.flush();

  assert.deepEqual([room().changes[0].state, room().changes[0].problem], ['failed', 'too long']);
});

test('a quote that is wanted is read by itself, or said not to be there', async () => {
  const { live, calls, dispatch, subscribe, room } = setUp(120);
  await subscribe();
  calls.length = 0;

  for (const offset of [5, 500]) dispatch({ type: 'quoteWanted', offset });
  await live.flush();

  assert.deepEqual(
    calls.map(({ before, limit }) => [before, limit]),
    [
      [6, 1],
      [501, 1],
    ],
  );
  assert.equal(room().quotes.get(5).offset, 5);
  assert.equal(room().quotes.get(500), null);
});
