// @ts-check
/**
 * Who has put which emoji on a message. Sorted by the emojis themselves: in which order those of a
 * page came is not known once one is taken back, and by number they would jump about.
 */

import { listOf } from './names.js';
import { html } from './vendor/preact.js';

/**
 * @typedef {object} Who
 * @property {import('./names.js').Names} names
 * @property {readonly string[]} selves
 */

/** @param {Who & { reactions: import('./log.js').Reactions }} props */
export function Reactions({ reactions, names, selves }) {
  const emojis = Object.keys(reactions).sort();
  return html`
    <ul class="reactions" aria-label="Reactions">
      ${emojis.map(
        (emoji) => html`<li key=${emoji}>
          <${Reaction} ...${{ emoji, users: reactions[emoji], names, selves }} />
        </li>`,
      )}
    </ul>
  `;
}

/** @param {Who & { emoji: string, users: readonly string[] }} props */
function Reaction({ emoji, users, names, selves }) {
  const isMine = users.some((user) => selves.includes(user));
  const who = listOf(users, names, selves);
  return html`
    <span
      class=${`reaction${isMine ? ' mine' : ''}`}
      role="img"
      title=${`${who} reacted with ${emoji}`}
      aria-label=${`${emoji} ${users.length}: ${who}`}
    >
      <bdi class="emoji">${emoji}</bdi> ${users.length}
    </span>
  `;
}
