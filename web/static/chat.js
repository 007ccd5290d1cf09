// @ts-check
/** The chat: side panel (a drawer on narrow screens), header, timeline, composer. */

import { useMedia } from './browser.js';
import { Composer } from './composer.js';
import { Banner, ConnectionState } from './connection-state.js';
import { Announcer } from './announcer.js';
import { figure } from './places.js';
import { Sidebar } from './sidebar.js';
import { Timeline } from './timeline.js';
import { unreadIn } from './title.js';
import { TypingLine } from './typing-line.js';
import { html, useEffect, useRef } from './vendor/preact.js';

/** @typedef {{ state: import('./store.js').State, actions: import('./app.js').Actions }} Props */

/** @param {Props} props */
export function Chat({ state, actions }) {
  const isNarrow = useMedia('(max-width: 52rem)');
  const drawer = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const { channel, link, hidden } = state;
  const place = channel === null ? undefined : state.places.get(channel);
  const room = channel === null ? undefined : state.rooms.get(channel);
  const here = room?.presence.users ?? 0;

  useEffect(() => drawer.current?.close(), [channel]);

  /** @param {MouseEvent} event */
  const closeOnBackdrop = (event) => event.target === drawer.current && drawer.current?.close();

  const sidebar = html`<${Sidebar} ...${{ state, room, actions }} />`;
  return html`
    <div class="chat">
      ${room && html`<a class="skip" href="#message">Skip to the message field</a>`}
      ${!isNarrow && html`<aside class="panel" aria-label="Rooms and people">${sidebar}</aside>`}
      ${
        isNarrow &&
        html`
        <dialog
          class="drawer"
          ref=${drawer}
          aria-label="Rooms and people"
          onClick=${closeOnBackdrop}
        >
          <form method="dialog"><button class="quiet">Close</button></form>
          ${sidebar}
        </dialog>
      `
      }
      <main class="room">
        <header class="room-header">
          ${isNarrow && html`<${DrawerButton}
            unread=${unreadIn(state).unread}
            onClick=${() => drawer.current?.showModal()}
          />`}
          <div class="room-title">
            <h1>${channel ?? 'No such room'}</h1>
            ${isNarrow && here > 0 && html`<p class="muted small">${here} here</p>`}
          </div>
          ${channel !== null && place && html`<${Mute} ...${{ channel, place, actions }} />`}
          <${ConnectionState} state=${state} />
        </header>
        <${Banner} state=${state} onReconnect=${actions.reconnect} />
        ${
          channel !== null && room
            ? html`
              <${Timeline} key=${channel} ...${{ channel, room, place, link, hidden, actions }} />
              <${Announcer} key=${`announcer-${channel}`} room=${room} />
              <${TypingLine} typists=${room.typists} />
              <${Composer} key=${`composer-${channel}`} ...${{ channel, actions }} />
            `
            : html`<${NoRoom} />`
        }
      </main>
    </div>
  `;
}

/** @param {{ channel: string, place: import('./places.js').Place, actions: Props['actions'] }} props */
function Mute({ channel, place: { notify }, actions }) {
  return html`
    <button
      class="icon mute"
      aria-pressed=${notify ? 'false' : 'true'}
      aria-label="Mute this room"
      title=${notify ? 'Mute this room: only mentions count' : 'This room is muted: only mentions count'}
      onClick=${() => actions.notify(channel, !notify)}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M4 9v6h4l5 4V5L8 9z" />
        <path d=${notify ? 'M16.5 9a4 4 0 0 1 0 6' : 'M16 9.5l5 5M21 9.5l-5 5'} />
      </svg>
    </button>
  `;
}

/** @param {{ unread: number, onClick: () => void }} props */
function DrawerButton({ unread, onClick }) {
  return html`
    <button class="icon drawer-button" aria-label="Rooms and people" onClick=${onClick}>
      <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 6h16M4 12h16M4 18h16" /></svg>
      ${unread > 0 && html`<span class="badge loud" aria-hidden="true">${figure(unread)}</span>`}
    </button>
  `;
}

function NoRoom() {
  return html`
    <p class="notice">
      A room's name has up to 64 letters, digits, dots, dashes and underscores.${' '}
      <a href="/">Go to the lobby</a>
    </p>
  `;
}
