// @ts-check
/** Invitations, until one goes there or puts them aside. */

import { Icon } from './icons.js';
import { titleIn } from './titles.js';
import { html } from './vendor/preact.js';

/** @param {{ state: import('./store.js').State, actions: import('./app.js').Actions }} props */
export function Toasts({ state, actions }) {
  const shown = [...state.invitations].filter(([, { isShown }]) => isShown);
  return html`
    <section class="toasts" aria-label="Notices" aria-live="polite">
      ${shown.slice(-MOST_SHOWN).map(
        ([channel, { from }]) => html`<div key=${channel} class="toast">
          <${Icon} name="mail" />
          <p>
            <b><bdi>${from.name || 'Somebody'}</bdi></b> invited you to${' '}
            <b><bdi>${titleIn(state, channel)}</bdi></b>
          </p>
          <p class="choices">
            <button class="quiet" onClick=${() => actions.dismiss(channel)}>Dismiss</button>
            <button class="primary" onClick=${() => actions.go(channel)}>Go there</button>
          </p>
        </div>`,
      )}
    </section>
  `;
}

const MOST_SHOWN = 3;
