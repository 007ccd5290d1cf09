import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createStore, INITIAL, reduce } from '../../web/static/store.js';
import { badgeOf, titleOf, unreadIn, unreadOf } from '../../web/static/title.js';
import { MYSELF, deletion, loaded, newest, publication, published, subscribed } from './make.mjs';

const run = (events, state = INITIAL) => events.reduce(reduce, state);
const opened = { type: 'roomOpened', channel: 'lobby' };
const connecting = { type: 'connecting' };
const connected = { type: 'connected', user: 'guest-me', name: 'Me' };
const inLobby = (event) => ({ type: 'room', channel: 'lobby', event });

test('the form stays until the server has taken the name', () => {
  const joining = run([opened, { type: 'nameChosen', name: ' Me ' }, connecting]);
  assert.equal(joining.stage, 'joining');

  const joined = run([connected], joining);

  assert.equal(joined.stage, 'in');
  assert.equal(joined.name, 'Me');
  assert.deepEqual(joined.rooms.get('lobby').selves, ['guest-me']);
});

test('a refused name is told at the form', () => {
  const refused = { type: 'disconnected', code: 107, reason: 'name too long' };

  assert.equal(run([{ type: 'nameChosen', name: 'x' }, connecting, refused]).stage, 'asking');
  assert.equal(run([{ type: 'resumed', name: 'x' }, connecting, refused]).refusal, 'name too long');
  assert.equal(run([opened, connecting, connected, refused]).stage, 'asking');
});

test('a name that somebody in the room has is told at the form', () => {
  const state = run([
    opened,
    connecting,
    connected,
    { type: 'nameRefused', reason: 'somebody has it' },
    { type: 'disconnected', code: 0, reason: 'disconnect called' },
  ]);

  assert.deepEqual([state.stage, state.refusal], ['asking', 'somebody has it']);
});

test('being thrown out later leaves the chat on screen', () => {
  const state = run([
    opened,
    connecting,
    connected,
    { type: 'disconnected', code: 3503, reason: 'force disconnect' },
  ]);

  assert.equal(state.stage, 'in');
  assert.equal(state.link, 'disconnected');
  assert.equal(state.trouble, 'force disconnect');
});

test('changing the name keeps the rooms and what is not sent', () => {
  const sending = inLobby({ type: 'sendRequested', key: 'k', text: 'hello', time: 0 });
  const state = run([
    opened,
    connected,
    sending,
    { type: 'nameWanted' },
    { type: 'disconnected', code: 0, reason: 'disconnect called' },
  ]);

  assert.equal(state.stage, 'asking');
  assert.equal(state.refusal, '');
  assert.equal(state.rooms.get('lobby').unsent.length, 1);
});

test('a room opened before the connection and one after know who we are', () => {
  const state = run([opened, connected, { type: 'roomOpened', channel: 'team' }]);

  assert.deepEqual(state.rooms.get('lobby').selves, ['guest-me']);
  assert.deepEqual(state.rooms.get('team').selves, ['guest-me']);
});

test('coming back to a room finds it as it was', () => {
  const state = run([
    opened,
    inLobby(subscribed(2)),
    inLobby(loaded(newest(2))),
    { type: 'roomOpened', channel: 'team' },
    opened,
  ]);

  assert.equal(state.rooms.get('lobby').log.length, 2);
});

test('a room may have any name', () => {
  for (const channel of ['constructor', '__proto__']) {
    const state = run([connected, { type: 'roomOpened', channel }]);

    assert.deepEqual(state.rooms.get(channel).selves, ['guest-me']);
  }
});

test('an event for a room that is not open is nothing', () => {
  const state = run([inLobby(subscribed(2))]);

  assert.deepEqual(state, INITIAL);
});

test('listeners see the new state', () => {
  const store = createStore();
  const seen = [];
  store.listen(() => seen.push(store.state.channel));

  store.dispatch(opened);

  assert.deepEqual(seen, ['lobby']);
});

const seen = (offset, channel = 'lobby') => ({ type: 'seen', channel, offset });
const hidden = (hidden) => ({ type: 'visibilityChanged', hidden });
const atLobby = [opened, connected, inLobby(subscribed(1)), inLobby(loaded(newest(1))), seen(1)];

test('the title names the room, and counts what came while nobody looked', () => {
  const state = run(atLobby);
  assert.equal(titleOf(state), 'lobby · Parley');

  const later = run([hidden(true), inLobby(published(publication(2)))], state);
  assert.equal(titleOf(later), '(1) lobby · Parley');
  assert.equal(titleOf(run([inLobby(published(deletion(3, 2)))], later)), 'lobby · Parley');
  assert.equal(titleOf(run([hidden(false)], later)), 'lobby · Parley');
  assert.equal(titleOf(run([seen(2)], later)), 'lobby · Parley');
});

test('what is said in a room in the background counts at once, and our own does not', () => {
  const inTeam = (event) => ({ type: 'room', channel: 'team', event });
  const state = run(
    [
      { type: 'roomFollowed', channel: 'team' },
      { type: 'placesTold', rooms: [{ channel: 'team', read: 3, head: 3, unread: 0, mentions: 0 }] },
      inTeam(published(publication(4))),
      inTeam(published(publication(5, { info: MYSELF }))),
      inTeam(published({ ...publication(6), data: { type: 'message', text: '@Me', mentions: { 'guest-me': 'Me' } } })),
      { type: 'noticed', notice: { type: 'mention', channel: 'team', offset: 6, from: { user: 'guest-ada', name: 'Ada' } } },
    ],
    run(atLobby),
  );

  assert.deepEqual(unreadOf(state, 'team'), { unread: 2, mentions: 1 });
  assert.deepEqual(unreadIn(state), { unread: 2, mentions: 1 });
  assert.equal(titleOf(state), '(2) lobby · Parley');
});

test('the icon has a dot for what is unread, a figure for what means us, nothing else', () => {
  assert.equal(badgeOf({ unread: 0, mentions: 0 }), '');
  assert.ok(!decodeURIComponent(badgeOf({ unread: 3, mentions: 0 })).includes('<text'));
  assert.ok(decodeURIComponent(badgeOf({ unread: 3, mentions: 2 })).includes('>2</text>'));
  assert.ok(decodeURIComponent(badgeOf({ unread: 30, mentions: 20 })).includes('>9+</text>'));
});
