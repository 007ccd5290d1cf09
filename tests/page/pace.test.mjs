import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createPace } from '../../web/static/pace.js';

/** Types with so many milliseconds between the keys; what waits is put off by each key. Returns when something was asked. */
function type({ keys, everyMs }) {
  let time = 0;
  const pace = createPace({ now: () => time });
  const asked = [];
  let due = Infinity;
  for (let at = 0; at < keys * everyMs + 5000; at += 1) {
    time = at;
    if (at >= due) {
      pace.asked();
      asked.push(at);
      due = Infinity;
    }
    if (at % everyMs === 0 && at / everyMs < keys) due = at + pace.delay();
  }
  return asked;
}

test('who types fast asks once, soon after the last key', () => {
  assert.deepEqual(type({ keys: 10, everyMs: 100 }), [900 + 250]);
});

test('who types slowly never asks more than twice a second', () => {
  for (const everyMs of [251, 300, 400, 549, 600]) {
    const asked = type({ keys: 60, everyMs });
    const gaps = asked.slice(1).map((at, index) => at - asked[index]);

    assert.ok(asked.length > 5, `every ${everyMs} ms: ${asked.length} asked`);
    assert.ok(Math.min(...gaps) >= 500, `every ${everyMs} ms: after ${Math.min(...gaps)} ms`);
  }
});

test('the last thing that was typed is asked', () => {
  for (const everyMs of [100, 300, 500]) {
    const last = 19 * everyMs;
    assert.ok(type({ keys: 20, everyMs }).at(-1) >= last);
  }
});
