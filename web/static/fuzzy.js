// @ts-check
/** How well a text fits what somebody types: its letters in their order, best at the beginnings of words. */

/** @typedef {{ start: number, end: number }} Range of a text that fits */
/** @typedef {{ score: number, ranges: Range[] }} Fit */

const WHOLE = 100;
const BEGINS = 60;
const WORD_BEGINS = 40;
const WITHIN = 20;
/** Scattered letters fit, too, but less than any word does. */
const SCATTERED = 5;

/**
 * @param {string} typed
 * @param {string} text
 * @returns {Fit | null} null if it does not fit
 */
export function fit(typed, text) {
  const wanted = fold(typed.trim());
  if (wanted === '') return { score: 0, ranges: [] };
  const folded = fold(text);
  // Only if folding kept every letter in its place can be said which ones fit.
  const rangesOf = (/** @type {Range[]} */ ranges) => (folded.length === text.length ? ranges : []);
  const words = wanted.split(/\s+/);
  const found = words.map((word) => together(word, folded));
  if (found.every((range) => range !== null)) {
    const score = Math.min(...found.map(({ score }) => score));
    return { score: score - brevity(folded), ranges: rangesOf(found.map(({ range }) => range)) };
  }
  const ranges = scattered(wanted.replace(/\s+/g, ''), folded);
  return ranges && { score: SCATTERED - brevity(folded), ranges: rangesOf(ranges) };
}

/** Of texts that fit equally well, the shorter one is meant. @param {string} text */
function brevity(text) {
  return Math.min(text.length, 99) / 100;
}

/** @param {string} word @param {string} text */
function together(word, text) {
  let best = null;
  for (let start = text.indexOf(word); start >= 0; start = text.indexOf(word, start + 1)) {
    const score = worth(word, text, start);
    if (!best || score > best.score) {
      best = { score, range: { start, end: start + word.length } };
    }
  }
  return best;
}

/** @param {string} word @param {string} text @param {number} start */
function worth(word, text, start) {
  if (word === text) return WHOLE;
  if (start === 0) return BEGINS;
  return /[\p{L}\p{N}]/u.test(text[start - 1] ?? '') ? WITHIN : WORD_BEGINS;
}

/** @param {string} wanted @param {string} text @returns {Range[] | null} */
function scattered(wanted, text) {
  /** @type {Range[]} */
  const ranges = [];
  let from = 0;
  for (const letter of wanted) {
    const start = text.indexOf(letter, from);
    if (start < 0) return null;
    from = start + letter.length;
    const last = ranges.at(-1);
    if (last?.end === start) last.end = from;
    else ranges.push({ start, end: from });
  }
  return ranges;
}

/** Without case and accents. @param {string} text */
function fold(text) {
  return text.normalize('NFKD').replace(/\p{Mn}/gu, '').normalize('NFC').toLowerCase();
}
