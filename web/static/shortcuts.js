// @ts-check
/** What the keys do, wherever one is on the page. Those of the browser stay the browser's. */

/**
 * @typedef {'switch' | 'search' | 'help' | 'previous' | 'next'} Command
 *
 * @typedef {object} Press
 * @property {string} key
 * @property {boolean} ctrlKey
 * @property {boolean} metaKey
 * @property {boolean} shiftKey
 * @property {boolean} altKey
 * @property {boolean} isTyping whether the focus is where text is written
 */

/** For people: what to press, and for what. */
export const HELP = /** @type {const} */ ([
  ['Ctrl K', 'Go to a room or person'],
  ['/', 'Search messages (Ctrl Shift F while you write)'],
  ['Alt ↑', 'Previous room'],
  ['Alt ↓', 'Next room'],
  ['?', 'These shortcuts'],
  ['Esc', 'Close what is open'],
  ['Enter', 'Send the message'],
  ['Shift Enter', 'New line in the message'],
]);

/** @param {Press} press @returns {Command | null} */
export function commandOf({ key, ctrlKey, metaKey, shiftKey, altKey, isTyping }) {
  const main = ctrlKey !== metaKey;
  const letter = key.toLowerCase();
  if (main && !altKey && !shiftKey && letter === 'k') return 'switch';
  if (main && !altKey && shiftKey && letter === 'f') return 'search';
  if (altKey && !ctrlKey && !metaKey && !shiftKey) {
    if (key === 'ArrowUp') return 'previous';
    return key === 'ArrowDown' ? 'next' : null;
  }
  // On some keyboards "/" and "?" take Shift or AltGr: the character counts.
  if (isTyping || ctrlKey || metaKey || altKey) return null;
  if (key === '/') return 'search';
  return key === '?' ? 'help' : null;
}

/** @param {EventTarget | null} target */
export function isTextField(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type);
}
