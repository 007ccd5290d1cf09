// @ts-check
/** Which option of a list the keys lead to, as the ARIA pattern of a combobox has it: pure. */

/** @type {ReadonlyMap<string, (index: number, count: number) => number>} */
const STEPS = new Map([
  ['ArrowDown', (index, count) => (index + 1) % count],
  ['ArrowUp', (index, count) => (index - 1 + count) % count],
  ['PageDown', (index, count) => Math.min(index + 5, count - 1)],
  ['PageUp', (index) => Math.max(index - 5, 0)],
]);

/**
 * @param {string} key
 * @param {number} index of the active option
 * @param {number} count of options
 * @returns {number | null} the index of the next one; null if the key is for the text
 */
export function stepOf(key, index, count) {
  const step = STEPS.get(key);
  return step && count > 0 ? step(index, count) : null;
}
