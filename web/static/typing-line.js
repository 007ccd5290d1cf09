// @ts-check
/** Who is typing. Not announced: a screen reader would hardly get to the messages. */

import { html } from './vendor/preact.js';

/** @param {{ typists: readonly import('./room.js').Typist[] }} props */
export function TypingLine({ typists }) {
  return html`<p id="typing" class="typing">${words(typists.map(({ name }) => name))}</p>`;
}

/** @param {string[]} names */
function words(names) {
  const [first, second] = names;
  if (names.length === 0) return '';
  if (names.length === 1) return `${first} is typing…`;
  if (names.length === 2) return `${first} and ${second} are typing…`;
  return `${names.length} people are typing…`;
}
