import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fit } from '../../web/static/fuzzy.js';

/** The texts that fit, the best first. */
const best = (typed, ...texts) =>
  texts
    .flatMap((text) => (fit(typed, text) ? [{ text, score: fit(typed, text).score }] : []))
    .sort((a, b) => b.score - a.score)
    .map(({ text }) => text);

const shown = (typed, text) =>
  fit(typed, text).ranges.map(({ start, end }) => text.slice(start, end));

test('the whole fits better than a beginning, that than a word, that than a part of one', () => {
  assert.deepEqual(best('tea', 'instead', 'green-tea', 'teapot', 'tea', 'coffee', 'stead'), [
    'tea',
    'teapot',
    'green-tea',
    'stead',
    'instead',
  ]);
});

test('scattered letters fit in their order, and last', () => {
  assert.deepEqual(best('gt', 'green-tea', 'gtk', 'tag'), ['gtk', 'green-tea']);
});

test('case and accents do not matter', () => {
  assert.deepEqual(best('zoe', 'Zoë', 'Noé'), ['Zoë']);
});

test('all words have to fit, in whatever order', () => {
  assert.deepEqual(best('lovelace ada', 'Ada Lovelace', 'Ada Byron'), ['Ada Lovelace']);
});

test('nothing typed fits everything alike', () => {
  assert.deepEqual(fit('  ', 'tea'), { score: 0, ranges: [] });
});

test('it says which letters fit', () => {
  assert.deepEqual(shown('tea', 'green-Tea'), ['Tea']);
  assert.deepEqual(shown('gre', 'green'), ['gre']);
  assert.deepEqual(shown('gt', 'green-tea'), ['g', 't']);
});

test('what means something in a pattern is a letter here', () => {
  assert.equal(fit('.*', 'tea'), null);
  assert.notEqual(fit('(c++', 'about (c++)'), null);
});
