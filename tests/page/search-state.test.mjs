import assert from 'node:assert/strict';
import { test } from 'node:test';

import { grouped, NO_SEARCH, reduceSearch, requestOf } from '../../web/static/search-state.js';

const filters = (fields) => ({ ...NO_SEARCH.filters, ...fields });
const hit = (offset, channel = 'tea') => ({
  channel,
  offset,
  data: { type: 'message', text: `message ${offset}` },
  info: { user: 'ada', client: 'c', conn_info: { name: 'Ada' } },
  time: offset,
});
const data = (offsets, before) => ({ results: offsets.map((offset) => hit(offset)), before });
const run = (...events) => events.reduce(reduceSearch, NO_SEARCH);
const offsets = ({ results }) => results.map(({ offset }) => offset);
const first = { type: 'answered', round: 1, query: 'x', data: data([9, 8], 8) };

test('without a word or a filter nothing is looked for', () => {
  assert.equal(requestOf(filters({ query: '  ' }), 'tea'), null);
  assert.equal(requestOf(filters({ everywhere: true }), 'tea'), null);
});

test('a search is of this room, or of all', () => {
  assert.deepEqual(requestOf(filters({ query: ' hi ' }), 'tea'), { query: 'hi', channel: 'tea' });
  assert.deepEqual(requestOf(filters({ query: 'hi', everywhere: true }), 'tea'), { query: 'hi' });
  assert.deepEqual(requestOf(filters({ query: 'hi' }), null), { query: 'hi' });
});

test('days are whole days where the reader is', () => {
  const { since, until } = requestOf(filters({ since: '2026-03-01', until: '2026-03-01' }), 'tea');

  assert.equal(since, new Date(2026, 2, 1).getTime());
  assert.equal(until, new Date(2026, 2, 2).getTime() - 1);
});

test('an author alone is enough', () => {
  assert.deepEqual(requestOf(filters({ user: 'ada' }), 'tea'), { query: '', user: 'ada', channel: 'tea' });
});

test('more results come below the first ones', () => {
  const search = run({ type: 'asked', round: 1 }, first, { type: 'moreAsked' }, {
    type: 'moreAnswered',
    round: 1,
    data: data([7]),
  });

  assert.deepEqual(offsets(search), [9, 8, 7]);
  assert.equal(search.before, null);
});

test('an answer that comes too late is not shown', () => {
  const search = run({ type: 'asked', round: 1 }, { type: 'asked', round: 2 }, first);

  assert.equal(search.status, 'loading');
});

test('more of an earlier search is not shown', () => {
  const search = run(
    { type: 'asked', round: 1 },
    first,
    { type: 'moreAsked' },
    { type: 'asked', round: 2 },
    { type: 'moreAnswered', round: 1, data: data([7]) },
  );

  assert.deepEqual(offsets(search), [9, 8]);
});

test('if more could not be had, what was found stays', () => {
  const failed = { type: 'failed', round: 1, problem: 'too many requests' };
  const search = run({ type: 'asked', round: 1 }, first, { type: 'moreAsked' }, failed);

  assert.equal(search.status, 'done');
  assert.equal(search.problem, 'too many requests');
  assert.deepEqual(offsets(search), [9, 8]);
});

test('what has no text is not shown, and nobody is the server', () => {
  const odd = [{ ...hit(3), data: null }, { ...hit(2), data: { text: 7 } }, { ...hit(1), info: undefined }];
  const search = run({ type: 'asked', round: 1 }, { ...first, data: { results: odd } });

  assert.deepEqual(search.results.map(({ offset, name }) => `${offset} ${name}`), ['1 Server']);
});

test('what stands together is of one room', () => {
  const results = [hit(9, 'tea'), hit(8, 'tea'), hit(4, 'cake'), hit(7, 'tea')];

  assert.deepEqual(
    grouped(results).map(({ channel, results: some }) => `${channel} ${some.length}`),
    ['tea 2', 'cake 1', 'tea 1'],
  );
});

test('a result has the lines of its message without the blank ones between them', () => {
  const long = { ...hit(9), data: { type: 'message', text: 'one\n\n \n\ntwo\nthree' } };
  const { results } = run(
    { type: 'asked', round: 1 },
    { type: 'answered', round: 1, query: 'x', data: { results: [long] } },
  );

  assert.equal(results[0].text, 'one\ntwo\nthree');
});
