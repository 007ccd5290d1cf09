// @ts-check
/** How the connection is: in a word, and in a bar below the header while there is none. */

import { html, useEffect, useState } from './vendor/preact.js';

/** @param {{ state: import('./store.js').State }} props */
export function ConnectionState({ state: { link, self, trouble } }) {
  const words = {
    connected: 'Connected',
    connecting: self ? 'Reconnecting…' : 'Connecting…',
    disconnected: 'Offline',
  };
  return html`
    <div class="connection" title=${trouble}>
      <span class="connection-state" role="status" data-state=${link}>${words[link]}</span>
    </div>
  `;
}

/**
 * Says why there is no connection, and when the next one is tried. It is no live region: its
 * seconds would be read out one by one.
 *
 * @param {{ state: import('./store.js').State, onReconnect: () => void }} props
 */
export function Banner({ state: { link, online, retryAt, trouble }, onReconnect }) {
  const now = useNow(link === 'connecting' && retryAt !== null);
  if (link === 'connected') return null;
  const seconds = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  const lost = online ? trouble || 'The connection is lost' : 'Your device is offline';
  return html`
    <div class="banner" data-link=${link}>
      <p>
        ${link === 'disconnected' ? trouble || 'You are not connected' : lost}.
        ${link === 'connecting' && html`${' '}<span class="next-try">${next(online, seconds)}</span>`}
      </p>
      ${
        link === 'disconnected'
          ? html`<button onClick=${onReconnect}>Reconnect</button>`
          : html`<button onClick=${onReconnect}>Try now</button>`
      }
    </div>
  `;
}

/** @param {boolean} online @param {number} seconds */
function next(online, seconds) {
  if (!online) return 'It goes on by itself once it is online.';
  return seconds > 0 ? `Next try in ${seconds} s` : 'Trying…';
}

/** The time, anew each second while it runs. @param {boolean} isRunning */
function useNow(isRunning) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isRunning) return undefined;
    setNow(Date.now());
    const ticking = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(ticking);
  }, [isRunning]);
  return now;
}
