// @ts-check
/**
 * Where the words of a query stand in a text, by the rules that the server searches with: whole
 * words without case and accents, "words in a row" in quotes, and the last word as a beginning.
 */

/** @typedef {{ text: string, isHit: boolean }} Part */

const MIN_PREFIX = 2;
const BEFORE_HIT = 60;

/** Languages without spaces between their words: each character is one. */
const UNSPACED =
  '\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Myanmar}\\p{Script=Khmer}\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}';
const WORD = new RegExp(`[${UNSPACED}]\\p{M}*|\\p{So}|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+`, 'gu');

/**
 * @typedef {{ words: string[], isOpen: boolean }} Phrase words in a row; open: the last one may go on
 *
 * @param {string} query
 * @returns {Phrase[]}
 */
export function phrasesOf(query) {
  const phrases = [];
  for (const [, quoted, plain = ''] of query.matchAll(/"([^"]*)"?|([^\s"]+)/g)) {
    const words = wordsOf(quoted || plain).map(({ folded }) => folded);
    if (words.length === 0) continue;
    for (const phrase of phrases) phrase.isOpen = false;
    phrases.push({ words, isOpen: plain !== '' && (words.at(-1)?.length ?? 0) >= MIN_PREFIX });
  }
  return phrases;
}

/**
 * A text in parts, those that the query found apart from the others.
 *
 * @param {string} text
 * @param {readonly Phrase[]} phrases
 * @returns {Part[]}
 */
export function marked(text, phrases) {
  const words = wordsOf(text);
  const hits = words.map(() => false);
  for (const phrase of phrases) {
    for (let first = 0; first + phrase.words.length <= words.length; first += 1) {
      if (stands(phrase, words, first)) hits.fill(true, first, first + phrase.words.length);
    }
  }
  return partsOf(text, words, hits);
}

/**
 * As much of a text as fits, beginning shortly before the first hit.
 *
 * @param {readonly Part[]} parts
 * @param {number} most characters
 * @returns {Part[]}
 */
export function excerpt(parts, most) {
  const first = parts.findIndex(({ isHit }) => isHit);
  const lead = parts[first - 1]?.text ?? '';
  const isCut = lead.length > BEFORE_HIT;
  const rest = first < 0 ? [...parts] : parts.slice(first);
  const before = isCut ? `…${afterSpace(lead.slice(-BEFORE_HIT))}` : lead;
  const shown = first > 0 ? [{ text: before, isHit: false }, ...rest] : rest;
  /** @type {Part[]} */
  const fitting = [];
  let left = most;
  for (const { text, isHit } of shown) {
    if (left <= 0) break;
    fitting.push({ text: text.length > left ? `${cut(text, left)}…` : text, isHit });
    left -= text.length;
  }
  return fitting;
}

/** Not through the middle of a character. @param {string} text @param {number} most */
function cut(text, most) {
  return text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '');
}

/** @param {string} text */
function afterSpace(text) {
  const space = text.search(/\s/);
  return space < 0 ? text.replace(/^[\uDC00-\uDFFF]/, '') : text.slice(space + 1);
}

/** @param {Phrase} phrase @param {readonly { folded: string }[]} words @param {number} first */
function stands({ words: wanted, isOpen }, words, first) {
  return wanted.every((word, index) => {
    const { folded = '' } = words[first + index] ?? {};
    const mayGoOn = isOpen && index === wanted.length - 1;
    return folded === word || (mayGoOn && folded.startsWith(word));
  });
}

/** @param {string} text */
function wordsOf(text) {
  return Array.from(text.matchAll(WORD), ({ 0: word, index }) => ({
    start: index,
    end: index + word.length,
    folded: word.normalize('NFKD').toLowerCase().replace(/[\u0300-\u036f]/g, '').normalize('NFC'),
  }));
}

/**
 * @param {string} text
 * @param {readonly { start: number, end: number }[]} words
 * @param {readonly boolean[]} hits
 */
function partsOf(text, words, hits) {
  /** @type {Part[]} */
  const parts = [];
  let from = 0;
  const add = (/** @type {number} */ to, /** @type {boolean} */ isHit) => {
    if (to > from) parts.push({ text: text.slice(from, to), isHit });
    from = to;
  };
  for (const [index, isHit] of hits.entries()) {
    if (!isHit) continue;
    const word = words[index] ?? { start: from, end: from };
    add(word.start, false);
    add(word.end, true);
  }
  add(text.length, false);
  return parts;
}
