import assert from 'node:assert/strict';
import { test } from 'node:test';

import { directChannel, isRoomName, kindOf, roomNameFrom, usersOf } from '../../web/static/channels.js';
import { channelOf, pathOf } from '../../web/static/route.js';

test('the name says what kind of room it is', () => {
  assert.equal(kindOf('tea'), 'public');
  assert.equal(kindOf('$plans'), 'private');
  assert.equal(kindOf('dm#ada,bob'), 'direct');
});

for (const channel of ['', '$', '$a b', 'a#b', 'user#ada', 'dm#ada', 'dm#bob,ada', 'dm#ada,ada', 'dm#,ada'])
  test(`the page shows no room called ${JSON.stringify(channel)}`, () => assert.equal(kindOf(channel), null));

test('what every object has is no room', () => {
  assert.equal(isRoomName('constructor'), false);
  assert.equal(kindOf('$constructor'), null);
});

test('a typed name is taken as it is meant', () => {
  assert.equal(roomNameFrom('  #my new room '), 'my-new-room');
  assert.equal(roomNameFrom('$plans'), 'plans');
  assert.equal(isRoomName(roomNameFrom('a/b')), false);
});

test('a direct conversation has one name, whoever begins it', () => {
  assert.equal(directChannel(['bob', 'ada']), 'dm#ada,bob');
  assert.equal(directChannel(['ada', 'bob', 'ada']), 'dm#ada,bob');
  assert.deepEqual(usersOf('dm#ada,bob'), ['ada', 'bob']);
});

test('its users are sorted by code point, as the server has it, and not by UTF-16', () => {
  assert.equal(directChannel(['\u{1f375}', '\uff21']), 'dm#\uff21,\u{1f375}');
});

test('two to eight can talk directly, with ids that the name can have', () => {
  const users = Array.from({ length: 9 }, (_, index) => `user-${index}`);

  assert.notEqual(directChannel(users.slice(0, 8)), null);
  assert.equal(directChannel(users), null);
  assert.equal(directChannel(['ada']), null);
  assert.equal(directChannel(['ada', 'b,c']), null);
  assert.equal(directChannel(['ada', '']), null);
  assert.equal(directChannel(['ada', 'x'.repeat(250)]), null);
});

test('every room has an address, and it is readable where it can be', () => {
  assert.equal(pathOf('$plans'), '/r/$plans');
  assert.equal(pathOf('dm#ada,bob@example.org'), '/r/dm%23ada,bob@example.org');
  for (const channel of ['$plans', 'dm#ada,bob', 'dm#a/b,c d', 'dm#100%,x', 'dm#Zoë,ада'])
    assert.equal(channelOf(pathOf(channel)), channel);
});

for (const path of ['/r/%24', '/r/%', '/r/dm%23bob,ada', '/r/a%2Fb', '/r/%E0%A4%A'])
  test(`no room at ${path}`, () => assert.equal(channelOf(path), null));
