import assert from 'node:assert/strict';
import { test } from 'node:test';

import { channelOf, offsetOf, pathOf } from '../../web/static/route.js';

test('the root is the lobby, /r/<room> is that room', () => {
  assert.equal(channelOf('/'), 'lobby');
  assert.equal(channelOf('/r/lobby'), 'lobby');
  assert.equal(channelOf('/r/team-7.beta_x'), 'team-7.beta_x');
  assert.equal(channelOf('/r/team/'), 'team');
});

test('every room has its own address', () => {
  for (const channel of ['lobby', 'team', 'a.b', '...'])
    assert.equal(channelOf(pathOf(channel)), channel);
});

for (const path of ['/r/', '/r/a%20b', '/r/a/b', '/r/..', '/other', `/r/${'x'.repeat(65)}`]) {
  test(`no room at ${path.slice(0, 20)}`, () => assert.equal(channelOf(path), null));
}

test('what every object has is no room', () => {
  assert.equal(channelOf('/r/constructor'), null);
});

test('an address may name a message', () => {
  assert.equal(pathOf('tea', 7), '/r/tea#m7');
  assert.equal(offsetOf('#m7'), 7);
  for (const hash of ['', '#message', '#m0', '#m-1', '#m1e3', '#m7x', `#m${'9'.repeat(30)}`]) {
    assert.equal(offsetOf(hash), null);
  }
});
