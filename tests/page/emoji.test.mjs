import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as emoji from '../../web/static/emoji.js';

const { emojiNamed, isFewEmojis, loadEmoji, recentEmoji, searchEmoji, withRecent } = emoji;

const groups = await loadEmoji();
const found = (query, limit = 5) => searchEmoji(groups, query, limit).map((one) => one.emoji);

test('the emojis are there, in groups, each with a shortcode', () => {
  assert.equal(groups.length, 9);
  for (const { emojis } of groups) for (const { shortcodes } of emojis) assert.ok(shortcodes[0]);
});

test('a shortcode finds its emoji first, however it is written', () => {
  for (const query of ['tada', ':tada:', ' TADA ']) assert.equal(found(query)[0], '🎉');
  assert.equal(found('+1')[0], '👍');
  assert.equal(found('smi')[0], '😃');
});

test('words find it as well', () => {
  assert.ok(found('party popper').includes('🎉'));
  assert.deepEqual(found('no such thing'), []);
  assert.deepEqual(found(''), []);
});

test('so many are found and no more', () => assert.equal(found('a', 7).length, 7));

test('each shortcode names one emoji', () => {
  assert.equal(emojiNamed(groups, 'tada'), '🎉');
  assert.equal(emojiNamed(groups, 'constructor'), undefined);
});

test('what was used last comes first, once, and the oldest goes', () => {
  const saved = withRecent(withRecent('', '🎈'), '🚀');

  assert.deepEqual(recentEmoji(saved).slice(0, 2), ['🚀', '🎈']);
  assert.equal(new Set(recentEmoji(saved)).size, recentEmoji(saved).length);
  const many = Array.from({ length: 40 }, (_, index) => String(index)).reduce(withRecent, '');
  assert.equal(recentEmoji(many).length, 16);
  assert.equal(recentEmoji(many)[0], '39');
});

for (const text of ['🎉', '👍🏽', '❤️', '👩‍👩‍👧', '🇩🇪 🇫🇷', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', ' 🎉🚀 \n👀 ']) {
  test(`a few emojis: ${text.trim()}`, () => assert.ok(isFewEmojis(text)));
}
for (const text of ['', '7', 'a 🎉', '🎉!', '🎉🎉🎉🎉🎉🎉🎉', '©']) {
  test(`not a few emojis: "${text}"`, () => assert.ok(!isFewEmojis(text)));
}
