import assert from 'node:assert/strict';
import { test } from 'node:test';

import { excerpt, marked, phrasesOf } from '../../web/static/marks.js';

/** The text with what is marked in brackets. */
const view = (query, text) =>
  marked(text, phrasesOf(query))
    .map((part) => (part.isHit ? `[${part.text}]` : part.text))
    .join('');

for (const [query, text, wanted] of [
  ['tea', 'Tea, please. No teapot, tea!', '[Tea], please. No [teapot], [tea]!'],
  ['green tea', 'green tea and greens', '[green] [tea] and greens'],
  ['tea green', 'tea and greens', '[tea] and [greens]'],
  ['"green tea"', 'green tea; tea, green', '[green] [tea]; tea, green'],
  ['"green te"', 'green tea', 'green tea'],
  ['t', 'a tea or t', 'a tea or [t]'],
  ['zoe', 'Zoë said Zoe\u0308', '[Zoë] said [Zoe\u0308]'],
  ['東京', '今日は東京です', '今日は[東][京]です'],
  ['e-mail', 'an e-mail', 'an [e]-[mail]'],
  ['<b>', '<b>bold</b>', '<[b]>bold</[b]>'],
  ['', 'tea', 'tea'],
  ['coffee', 'tea', 'tea'],
])
  test(`${query || 'nothing'} in "${text}"`, () => assert.equal(view(query, text), wanted));

test('the parts are the text, whatever was looked for', () => {
  const text = 'a\u0301 "x" 👩‍👩‍👧 <tea> \ud800 東京 teatime';
  for (const query of ['a', 'tea', '東', '👩', '"', 'x" tea']) {
    const parts = marked(text, phrasesOf(query));
    assert.equal(parts.map((part) => part.text).join(''), text);
  }
});

test('an excerpt begins shortly before the first hit', () => {
  const parts = marked(`${'word '.repeat(100)}tea ${'more '.repeat(100)}`, phrasesOf('"tea"'));

  const shown = excerpt(parts, 120);

  assert.equal(shown[1].text, 'tea');
  assert.match(shown[0].text, /^…word (word )+$/);
  assert.ok(shown.map(({ text }) => text).join('').length <= 125);
  assert.match(shown.at(-1).text, /…$/);
});

test('a short text is its own excerpt', () => {
  const parts = marked('green tea', phrasesOf('tea'));
  assert.deepEqual(excerpt(parts, 100), parts);
  assert.deepEqual(excerpt(marked('x', []), 100), [{ text: 'x', isHit: false }]);
});
