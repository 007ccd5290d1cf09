import assert from 'node:assert/strict';
import { test } from 'node:test';

import { counts, joined, left, people, snapshot } from '../../web/static/presence.js';
import { ADA, ME, MYSELF } from './make.mjs';

const second = { ...ADA, client: 'connection-ada-2' };

test('the connections of one user are one person', () => {
  const { members, clients, users } = snapshot([ADA, second, MYSELF]);

  assert.equal(clients, 3);
  assert.equal(users, 2);
  assert.deepEqual(people(members, ME), [
    { user: ME, name: 'Me', connections: 1 },
    { user: ADA.user, name: 'Ada', connections: 2 },
  ]);
});

test('a person is gone when the last connection is', () => {
  const one = left(snapshot([ADA, second]), ADA);
  assert.equal(one.users, 1);

  assert.equal(left(one, second).users, 0);
});

test('joining twice is being there once', () => {
  assert.equal(joined(joined(snapshot([]), ADA), ADA).clients, 1);
});

test('connections without a user are people of their own', () => {
  const anonymous = ['a', 'b'].map((client) => ({ user: '', client }));

  assert.equal(snapshot(anonymous).users, 2);
});

test('where only counts are known, joins and leaves do not make a list', () => {
  const many = counts(300, 250);

  assert.equal(joined(many, ADA), many);
  assert.equal(left(many, ADA), many);
});
