// @ts-check
/** Which emojis there are, and what they are called. They are loaded when first asked for. */

/**
 * @typedef {object} Emoji
 * @property {string} emoji
 * @property {readonly string[]} shortcodes without the colons, the usual one first
 * @property {string} words what it shows, and what else one may look for
 *
 * @typedef {{ name: string, emojis: readonly Emoji[] }} Group
 */

const MOST_RECENT = 16;
const FIRST_RECENT = ['👍', '❤️', '😄', '🎉', '🙏', '👀', '✅', '🚀'];
const LONGEST_EMOJI = 32;

/** @type {Promise<readonly Group[]> | undefined} */
let loading;

/** Fails where the file cannot be had; then the next call tries again. */
export function loadEmoji() {
  loading ??= import('./vendor/emoji.js').then(({ default: groups }) => groupsOf(groups));
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}

/** @param {typeof import('./vendor/emoji.js').default} groups @returns {readonly Group[]} */
export function groupsOf(groups) {
  return groups.map(([name, emojis]) => ({
    name,
    emojis: emojis.map(([emoji, shortcodes, words]) => ({
      emoji,
      shortcodes: shortcodes.split(' '),
      words,
    })),
  }));
}

/**
 * The best match first: a shortcode that is the query, that begins with it, that has it; then words
 * that begin with it.
 *
 * @param {readonly Group[]} groups
 * @param {string} query
 * @param {number} limit
 * @returns {Emoji[]}
 */
export function searchEmoji(groups, query, limit) {
  const wanted = query.trim().toLowerCase().replace(/^:|:$/g, '').replace(/\s+/g, '_');
  if (!wanted) return [];
  /** @type {Emoji[][]} by rank */
  const found = [[], [], [], []];
  for (const { emojis } of groups) {
    for (const emoji of emojis) found[rankOf(emoji, wanted)]?.push(emoji);
  }
  return found.flat().slice(0, limit);
}

/** @param {readonly Group[]} groups @param {string} shortcode */
export function emojiNamed(groups, shortcode) {
  for (const { emojis } of groups) {
    const found = emojis.find(({ shortcodes }) => shortcodes.includes(shortcode));
    if (found) return found.emoji;
  }
  return undefined;
}

/** @param {Emoji} emoji @param {string} wanted @returns {number} beyond 3: not at all */
function rankOf({ shortcodes, words }, wanted) {
  if (shortcodes.includes(wanted)) return 0;
  if (shortcodes.some((shortcode) => shortcode.startsWith(wanted))) return 1;
  if (shortcodes.some((shortcode) => shortcode.includes(wanted))) return 2;
  const all = `_${words.toLowerCase().replace(/[\s-]+/g, '_')}`;
  return all.includes(`_${wanted}`) ? 3 : 4;
}

/**
 * Those used last, the newest first; with what many use, while there are few.
 *
 * @param {string} saved as `withRecent()` made it, or anything
 * @returns {string[]}
 */
export function recentEmoji(saved) {
  const recent = saved.split(' ').filter((emoji) => emoji && emoji.length <= LONGEST_EMOJI);
  return [...new Set([...recent, ...FIRST_RECENT])].slice(0, MOST_RECENT);
}

/** @param {string} saved @param {string} emoji */
export function withRecent(saved, emoji) {
  return [...new Set([emoji, ...recentEmoji(saved)])].slice(0, MOST_RECENT).join(' ');
}

const PART =
  '(?:\\p{Regional_Indicator}{2}|[#*0-9]\\uFE0F?\\u20E3|' +
  '(?:\\p{Emoji_Presentation}|\\p{Extended_Pictographic}(?=[\\uFE0F\\u200D]|\\p{Emoji_Modifier}))' +
  '(?:\\uFE0F|\\p{Emoji_Modifier})?(?:[\\u{E0020}-\\u{E007F}]+)?' +
  '(?:\\u200D\\p{Extended_Pictographic}(?:\\uFE0F|\\p{Emoji_Modifier})?)*)';
const FEW_EMOJIS = new RegExp(`^(?:${PART}\\s*){1,6}$`, 'u');

/** Whether a text is a few emojis and nothing else. @param {string} text */
export function isFewEmojis(text) {
  return FEW_EMOJIS.test(text.trim());
}
