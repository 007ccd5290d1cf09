// @ts-check
/** The side panel: rooms, and who one is. */

import { Avatar } from './avatar.js';
import { Icon } from './icons.js';
import { LOGO } from './logo.js';
import { Rooms } from './rooms.js';
import { html } from './vendor/preact.js';

/**
 * @typedef {object} Props
 * @property {import('./store.js').State} state
 * @property {import('./app.js').Actions} actions
 * @property {import('./dialogs.js').Open} open
 */

/** @param {Props} props */
export function Sidebar({ state, actions, open }) {
  // Whoever has a token is called what the application says.
  const isGuest = state.self?.user.startsWith('guest-') ?? false;
  return html`
    <div class="sidebar">
      <p class="brand"><img src=${LOGO} alt="" width="28" height="28" /> Parley</p>
      <button
        class="go-to"
        aria-keyshortcuts="Control+K Meta+K"
        onClick=${() => open({ type: 'switch' })}
      >
        <${Icon} name="search" /> Go to… <kbd>Ctrl K</kbd>
      </button>
      <${Rooms} ...${{ state, actions, open }} />
      <div class="self">
        <${Avatar} user=${state.self?.user ?? ''} name=${state.name} />
        <p class="self-name">
          <span class="visually-hidden">You are </span><b><bdi>${state.name}</bdi></b>
        </p>
        ${isGuest && html`<button class="quiet" onClick=${actions.changeName}>Change name</button>`}
        <${BellButton} bell=${state.bell} onClick=${actions.toggleBell} />
      </div>
    </div>
  `;
}

/** What the bell says when one points at it. */
const BELL = {
  unsupported: 'This browser has no notifications',
  denied: 'Notifications are blocked in the browser',
  off: 'Notifications are off',
  on: 'Notifications are on: for mentions and direct messages',
};

/** @param {{ bell: import('./store.js').Bell, onClick: () => void }} props */
function BellButton({ bell, onClick }) {
  const isOn = bell === 'on';
  const canChange = isOn || bell === 'off';
  return html`
    <button
      class="icon bell"
      aria-label="Notifications"
      aria-pressed=${isOn ? 'true' : 'false'}
      title=${BELL[bell]}
      disabled=${!canChange}
      onClick=${onClick}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 21h4" />
        ${!isOn && html`<path d="M4 4l16 16" />`}
      </svg>
    </button>
  `;
}
