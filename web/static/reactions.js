// @ts-check
/**
 * Who has put which emoji on a message; a click puts one's own, or takes it back. Sorted by the
 * emojis themselves: in which order those of a page came is not known once one is taken back, and by
 * number they would jump about.
 */

import { listOf } from './names.js';
import { html } from './vendor/preact.js';

/**
 * @typedef {object} Who
 * @property {import('./names.js').Names} names
 * @property {readonly string[]} selves
 *
 * @typedef {(emoji: string, on: boolean) => void} Toggle
 */

/** @param {Who & { reactions: import('./log.js').Reactions, onToggle: Toggle }} props */
export function Reactions({ reactions, names, selves, onToggle }) {
  const emojis = Object.keys(reactions).sort();
  return html`
    <ul class="reactions" aria-label="Reactions">
      ${emojis.map(
        (emoji) => html`<li key=${emoji}>
          <${Reaction} ...${{ emoji, users: reactions[emoji], names, selves, onToggle }} />
        </li>`,
      )}
    </ul>
  `;
}

/** @param {Who & { emoji: string, users: readonly string[], onToggle: Toggle }} props */
function Reaction({ emoji, users, names, selves, onToggle }) {
  const isMine = users.some((user) => selves.includes(user));
  const self = selves.at(-1) ?? '';
  const who = listOf(users, names, selves);
  return html`
    <button
      type="button"
      class=${`reaction${isMine ? ' mine' : ''}`}
      aria-pressed=${isMine ? 'true' : 'false'}
      aria-label=${`${emoji} ${users.length}: ${who}`}
      onClick=${() => onToggle(emoji, !users.includes(self))}
    >
      <bdi class="emoji">${emoji}</bdi> ${users.length}
    </button>
    <span class="who" aria-hidden="true"><bdi class="emoji">${emoji}</bdi> ${who}</span>
  `;
}
