import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AWAY_AFTER_MS, createIdle } from '../../web/static/idle.js';

/** A clock that a test moves on, and what was said. */
function setUp() {
  let time = 0;
  const timers = [];
  const said = [];
  const idle = createIdle((isAway) => said.push(isAway), {
    now: () => time,
    later: (work, ms) => timers.push({ work, at: time + ms }),
  });
  const pass = (ms) => {
    const end = time + ms;
    for (;;) {
      timers.sort((a, b) => a.at - b.at);
      if (!timers.length || timers[0].at > end) break;
      const { work, at } = timers.shift();
      time = at;
      work();
    }
    time = end;
  };
  return { idle, pass, said, timers };
}

test('five minutes without a sign are away, said once', () => {
  const { pass, said } = setUp();

  pass(AWAY_AFTER_MS - 1);
  assert.deepEqual(said, []);
  pass(1);
  pass(AWAY_AFTER_MS * 3);

  assert.deepEqual(said, [true]);
});

test('the first sign is back, at once and said once', () => {
  const { idle, pass, said } = setUp();
  pass(AWAY_AFTER_MS);

  idle.sign();
  idle.sign();

  assert.deepEqual(said, [true, false]);
  assert.equal(idle.isAway, false);
});

test('a sign puts it off', () => {
  const { idle, pass, said } = setUp();
  pass(AWAY_AFTER_MS - 1);
  idle.sign();

  pass(AWAY_AFTER_MS - 1);
  assert.deepEqual(said, []);
  pass(1);

  assert.deepEqual(said, [true]);
});

test('away a second time is said again', () => {
  const { idle, pass, said } = setUp();
  pass(AWAY_AFTER_MS);
  idle.sign();

  pass(AWAY_AFTER_MS);

  assert.deepEqual(said, [true, false, true]);
});

test('however many signs, there is one timer', () => {
  const { idle, timers } = setUp();

  for (let count = 0; count < 1000; count += 1) idle.sign();

  assert.equal(timers.length, 1);
});
