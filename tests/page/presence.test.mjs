import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  NOBODY,
  counts,
  isPresence,
  joined,
  left,
  membersTold,
  moved,
  people,
  snapshot,
} from '../../web/static/presence.js';
import { ADA, BOB, ME, MYSELF } from './make.mjs';

const second = { ...ADA, client: 'connection-ada-2' };
const here = (...infos) => snapshot(NOBODY, infos);
const push = (state, info = ADA) => ({ data: { type: 'presence', state }, info });
const states = (presence) => people(presence, ME).map(({ name, state }) => `${name} ${state}`);
const told = (state, { user, connInfo: { name } } = ADA) => ({ user, name, state });

test('the connections of one user are one person', () => {
  const presence = here(ADA, second, MYSELF);

  assert.equal(presence.clients, 3);
  assert.equal(presence.users, 2);
  assert.deepEqual(people(presence, ME), [
    { user: ME, name: 'Me', connections: 1, state: 'online' },
    { user: ADA.user, name: 'Ada', connections: 2, state: 'online' },
  ]);
});

test('a person is gone when the last connection is', () => {
  const one = left(here(ADA, second), ADA);
  assert.equal(one.users, 1);

  assert.equal(left(one, second).users, 0);
});

test('joining twice is being there once', () => {
  assert.equal(joined(joined(here(), ADA), ADA).clients, 1);
});

test('connections without a user are people of their own', () => {
  const anonymous = ['a', 'b'].map((client) => ({ user: '', client }));

  assert.equal(here(...anonymous).users, 2);
});

test('where only counts are known, joins and leaves do not make a list', () => {
  const many = counts(NOBODY, 300, 250);

  assert.equal(joined(many, ADA), many);
  assert.equal(left(many, ADA), many);
});

test('a push says that somebody looks elsewhere, and another that they are back', () => {
  const away = moved(here(ADA, MYSELF), push('away'));
  assert.deepEqual(states(away), ['Me online', 'Ada away']);

  assert.deepEqual(states(moved(away, push('online'))), ['Me online', 'Ada online']);
});

test('only a publication that is not stored is such a push', () => {
  assert.equal(isPresence(push('away')), true);
  assert.equal(isPresence({ ...push('away'), offset: 7 }), false);
  assert.equal(isPresence({ data: 'presence', info: ADA }), false);
});

test('whoever comes in with another connection looks here', () => {
  const away = moved(here(ADA), push('away'));

  assert.deepEqual(states(joined(away, second)), ['Ada online']);
});

test('whoever was away and left is not away when they come back', () => {
  const gone = left(moved(here(ADA), push('away')), ADA);

  assert.deepEqual(states(snapshot(gone, [ADA])), ['Ada online']);
});

test('of a closed room those are listed, too, who are not there', () => {
  const presence = membersTold(here(MYSELF), [told('online', MYSELF), told('offline')], true);
  assert.deepEqual(states(presence), ['Me online', 'Ada offline']);

  assert.deepEqual(states(left(joined(presence, ADA), ADA)), ['Me online', 'Ada offline']);
});

test('whoever comes into a closed room belongs to it from then on', () => {
  const presence = joined(membersTold(here(MYSELF), [told('online', MYSELF)], true), ADA);

  assert.deepEqual(states(left(presence, ADA)), ['Me online', 'Ada offline']);
});

test('a public room lists only who is there', () => {
  const presence = membersTold(here(MYSELF, ADA), [told('online', MYSELF), told('away')], false);
  assert.deepEqual(states(presence), ['Me online', 'Ada away']);

  assert.deepEqual(states(left(presence, ADA)), ['Me online']);
});

test('oneself comes first, then who is there, then who is away, then the others, by name', () => {
  const presence = membersTold(
    here(MYSELF, BOB, ADA, { user: 'cleo', client: 'c', connInfo: { name: 'Cleo' } }),
    [
      { user: 'dan', name: 'Dan', state: 'offline' },
      { user: ADA.user, name: 'Ada', state: 'away' },
    ],
    true,
  );

  assert.deepEqual(states(presence), [
    'Me online',
    'Bob online',
    'Cleo online',
    'Ada away',
    'Dan offline',
  ]);
});
