// @ts-check
/** How the connection is, in a word. */

import { html } from './vendor/preact.js';

/** @param {{ state: import('./store.js').State, onReconnect: () => void }} props */
export function ConnectionState({ state: { link, self, trouble }, onReconnect }) {
  const words = {
    connected: 'Connected',
    connecting: self ? 'Reconnecting…' : 'Connecting…',
    disconnected: 'Offline',
  };
  return html`
    <div class="connection" title=${trouble}>
      ${trouble && html`<span class="trouble muted small">${trouble}</span>`}
      <span class="connection-state" role="status" data-state=${link} >${words[link]}</span>
      ${
        link === 'disconnected' &&
        html`<button class="quiet" onClick=${onReconnect}>Reconnect</button>`
      }
    </div>
  `;
}
