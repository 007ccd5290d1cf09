import assert from 'node:assert/strict';
import { test } from 'node:test';

import { order, sectionsOf, topicOf } from '../../web/static/sections.js';
import { INITIAL, reduce } from '../../web/static/store.js';
import { MOST_OPTIONS, optionsOf } from '../../web/static/switcher-options.js';
import { strangersIn, titleIn } from '../../web/static/titles.js';

const ADA = { user: 'ada', name: 'Ada' };
const CLEO = { user: 'cleo', name: 'Cleo' };
const place = (channel, fields = {}) => ({
  channel,
  read: 0,
  head: 0,
  epoch: 'e',
  unread: 0,
  mentions: 0,
  notify: true,
  ...fields,
});
const run = (...events) => events.reduce(reduce, INITIAL);
const connected = { type: 'connected', user: 'bob', name: 'Bob' };
const opened = (channel) => ({ type: 'roomOpened', channel });
const mine = (...rooms) => ({ type: 'placesTold', rooms });
const notice = (fields) => ({ type: 'noticed', notice: fields });
const invited = notice({ type: 'invited', channel: '$plans', from: ADA });
const titles = (rows) => rows.map(({ title }) => title);
const DIRECT = place('dm#ada,bob', { members: [ADA, { user: 'bob', name: 'Bob' }] });

test('rooms are listed by kind, the lobby first, and then by what they are called', () => {
  const state = run(connected, mine(place('zoo'), place('$plans'), place('art'), DIRECT), opened('tea'));
  const { publics, privates, directs } = sectionsOf(state);

  assert.deepEqual(titles(publics), ['lobby', 'art', 'tea', 'zoo']);
  assert.deepEqual(titles(privates), ['plans']);
  assert.deepEqual(titles(directs), ['Ada']);
  assert.deepEqual(order(state), ['lobby', 'art', 'tea', 'zoo', '$plans', 'dm#ada,bob']);
});

test('a conversation is called by the names of the others, and never by an id', () => {
  const state = run(connected, opened('dm#ada,bob,cleo'), { type: 'met', people: [CLEO] });
  assert.equal(titleIn(state, 'dm#ada,bob,cleo'), 'Cleo, Someone');
  assert.deepEqual(strangersIn(state), ['ada']);

  const met = reduce(state, { type: 'met', people: [ADA] });
  assert.equal(titleIn(met, 'dm#ada,bob,cleo'), 'Ada, Cleo');
  assert.deepEqual(strangersIn(met), []);
});

test('open rooms where one has not been are found below', () => {
  const active = Array.from({ length: 9 }, (_, at) => ({ channel: `room-${at}`, clients: 9 - at }));
  const state = run(connected, opened('room-0'), { type: 'roomsListed', rooms: active });

  assert.deepEqual(
    sectionsOf(state).others.map(({ channel }) => channel),
    ['room-1', 'room-2', 'room-3', 'room-4', 'room-5'],
  );
});

test('a room that one left is gone, until one goes there again', () => {
  const left = run(connected, mine(place('tea')), opened('tea'), opened('lobby'), notice({ type: 'left', channel: 'tea' }));
  assert.deepEqual(titles(sectionsOf(left).publics), ['lobby']);

  assert.deepEqual(titles(sectionsOf(reduce(left, opened('tea'))).publics), ['lobby', 'tea']);
});

test('an invitation shows its room at once, as new until one goes there', () => {
  const state = run(connected, invited);
  const [row] = sectionsOf(state).privates;
  assert.deepEqual([row.title, row.isInvitation], ['plans', true]);
  assert.equal(state.invitations.get('$plans').isShown, true);

  const there = reduce(state, opened('$plans'));
  assert.equal(sectionsOf(there).privates[0].isInvitation, false);
});

test('an invitation that was put aside is not shown, and its room stays', () => {
  const state = run(connected, invited, { type: 'invitationDismissed', channel: '$plans' });

  assert.equal(state.invitations.get('$plans').isShown, false);
  assert.deepEqual(titles(sectionsOf(state).privates), ['plans']);
});

test('whoever is put out has no invitation any more', () => {
  const state = run(connected, invited, notice({ type: 'left', channel: '$plans' }));

  assert.deepEqual(sectionsOf(state).privates, []);
});

test('a new conversation appears as soon as somebody writes', () => {
  const state = run(connected, mine(DIRECT));

  assert.deepEqual(titles(sectionsOf(state).directs), ['Ada']);
});

test('the topic is what the room says, or else what is kept or listed of it', () => {
  const listed = run(connected, { type: 'roomsListed', rooms: [{ channel: 'tea', clients: 1, topic: 'of old' }] });
  assert.equal(topicOf(listed, 'tea'), 'of old');

  const open = reduce(listed, opened('tea'));
  const subscribed = { type: 'subscribed', epoch: 'e', offset: 0, recovered: false, topic: 'green' };
  const known = reduce(open, { type: 'room', channel: 'tea', event: subscribed });
  assert.equal(topicOf(known, 'tea'), 'green');

  const publication = { offset: 1, data: { type: 'topic', topic: 'black', time: 1 }, info: { user: 'ada', client: 'c' } };
  const changed = reduce(known, { type: 'room', channel: 'tea', event: { type: 'published', publication, now: 0 } });
  assert.equal(topicOf(changed, 'tea'), 'black');
});

const options = (state, typed, recent = []) =>
  optionsOf(state, typed, recent).map(({ kind, title }) => `${kind} ${title}`);
const somewhere = run(
  connected,
  mine(place('tea'), place('$team'), DIRECT),
  { type: 'met', people: [CLEO] },
  { type: 'roomsListed', rooms: [{ channel: 'teapots', clients: 2 }] },
);

test('the switcher offers rooms, conversations, people, open rooms, and a new room', () => {
  assert.deepEqual(options(somewhere, 'tea'), ['public tea', 'private team', 'public teapots']);
  assert.deepEqual(options(somewhere, 'ada'), ['direct Ada', 'new ada']);
  assert.deepEqual(options(somewhere, 'cle'), ['person Cleo', 'new cle']);
  assert.deepEqual(options(somewhere, 'new room'), ['new new-room']);
  assert.deepEqual(options(somewhere, 'a/b'), []);
});

test('where one was last comes first', () => {
  assert.deepEqual(options(somewhere, '', ['$team', 'tea']).slice(0, 2), ['private team', 'public tea']);
});

test('the switcher offers so many and no more', () => {
  const rooms = Array.from({ length: 50 }, (_, at) => ({ channel: `room-${at}`, clients: 1 }));
  const state = run(connected, { type: 'roomsListed', rooms });

  assert.equal(optionsOf(state, '', []).length, MOST_OPTIONS);
});
