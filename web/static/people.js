// @ts-check
/** Who is here. */

import { Avatar } from './avatar.js';
import { Moderate } from './moderate.js';
import { people } from './presence.js';
import { html, useMemo } from './vendor/preact.js';

const number = new Intl.NumberFormat();

/**
 * @typedef {object} Props
 * @property {import('./presence.js').Presence} presence
 * @property {readonly string[]} selves
 * @property {boolean} moderates
 * @property {import('./app.js').Actions} actions
 */

/** @param {Props} props */
export function People({ presence: { members, clients, users }, selves, moderates, actions }) {
  const self = selves.at(-1) ?? '';
  const list = useMemo(() => (members ? people(members, self) : []), [members, self]);

  return html`
    <section class="people" aria-label="People here">
      <h2>People <span class="count">${users > 0 && number.format(users)}</span></h2>
      ${
        members
          ? html`<ul aria-label="People">
            ${list.map(
              ({ user, name, connections }) => html`<li key=${user}>
                <${Avatar} user=${user} name=${name} />
                <bdi class="person-name">${name}</bdi>
                ${user === self && html`<span class="muted small">you</span>`}
                ${
                  moderates &&
                  user !== self &&
                  html`<${Moderate} ...${{ user, name, actions }} />`
                }
                ${connections > 1 && html`<${Connections} count=${connections} />`}
              </li>`,
            )}
          </ul>`
          : html`<p class="muted small">
            ${clients > 0 ? `Too many to list: ${number.format(clients)} connections` : '…'}
          </p>`
      }
    </section>
  `;
}

/** @param {{ count: number }} props */
function Connections({ count }) {
  return html`<span class="muted small" title="${count} connections">×${count}</span>`;
}
