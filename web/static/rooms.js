// @ts-check
/** The rooms one can go to, and the form that opens another. */

import { figure } from './places.js';
import { unreadOf } from './title.js';
import { LOBBY, isRoomName, pathOf, roomNameFrom } from './route.js';
import { html } from './vendor/preact.js';

const RULE = 'Up to 64 letters, digits, dots, dashes and underscores';
const number = new Intl.NumberFormat();

/** @param {{ state: import('./store.js').State, onGo: (channel: string) => void }} props */
export function Rooms({ state, onGo }) {
  return html`
    <nav class="rooms" aria-label="Rooms">
      <h2>Rooms</h2>
      <ul>
        ${listed(state).map(
          ({ channel, clients }) => html`<li key=${channel}>
            <${RoomLink}
              ...${{ channel, clients, onGo }}
              ...${unreadOf(state, channel)}
              isCurrent=${channel === state.channel}
              isMuted=${state.places.get(channel)?.notify === false}
            />
          </li>`,
        )}
      </ul>
      <${OpenRoom} onGo=${onGo} />
    </nav>
  `;
}

/**
 * @typedef {import('./store.js').ActiveRoom} ActiveRoom
 * @typedef {{ unread: number, mentions: number, isCurrent: boolean, isMuted: boolean }} RoomState
 * @param {ActiveRoom & RoomState & { onGo: (channel: string) => void }} props
 */
function RoomLink({ channel, clients, unread, mentions, isCurrent, isMuted, onGo }) {
  /** @param {MouseEvent} event */
  const onClick = (event) => {
    const opensElsewhere =
      event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (opensElsewhere) return;
    event.preventDefault();
    onGo(channel);
  };
  const here = clients === 1 ? '1 person connected' : `${clients} people connected`;
  return html`
    <a
      href=${pathOf(channel)}
      class=${unread > 0 ? 'unread' : isMuted ? 'muted' : ''}
      aria-current=${isCurrent ? 'page' : undefined}
      onClick=${onClick}
    >
      <span class="room-name">${channel}</span>
      ${isMuted && html`<span class="visually-hidden">, muted</span>`}
      ${unread > 0 && html`<${Badge} ...${{ unread, mentions }} />`}
      ${clients > 0 && html`<span class="count" title=${here}>${number.format(clients)}</span>`}
    </a>
  `;
}

/** How much is new; loud if somebody means the user. @param {{ unread: number, mentions: number }} props */
function Badge({ unread, mentions }) {
  const isLoud = mentions > 0;
  const words = isLoud ? `${mentions} for you, ${unread} new` : `${unread} new`;
  return html`<span class=${`badge${isLoud ? ' loud' : ''}`} title=${words}>
    <span aria-hidden="true">${isLoud ? `@${figure(mentions)}` : figure(unread)}</span>
    <span class="visually-hidden">, ${words}</span>
  </span>`;
}

/** @param {{ onGo: (channel: string) => void }} props */
function OpenRoom({ onGo }) {
  /** @param {SubmitEvent} event */
  const onSubmit = (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem('room'));
    const channel = roomNameFrom(field.value);
    field.setCustomValidity(isRoomName(channel) ? '' : RULE);
    if (!form.reportValidity()) return;
    form.reset();
    onGo(channel);
  };
  /** @param {InputEvent} event */
  const onInput = (event) =>
    /** @type {HTMLInputElement} */ (event.currentTarget).setCustomValidity('');

  return html`
    <form class="open-room" onSubmit=${onSubmit}>
      <label for="room">Open or create a room</label>
      <div class="field-row">
        <input
          id="room"
          name="room"
          autocomplete="off"
          autocapitalize="none"
          spellcheck=${false}
          onInput=${onInput}
        />
        <button>Open</button>
      </div>
    </form>
  `;
}

/**
 * The lobby, then one's own rooms and those this page has been in, then the other active ones.
 *
 * @param {import('./store.js').State} state
 */
function listed({ active, rooms, places, channel: current }) {
  const clients = new Map(active.map((room) => [room.channel, room.clients]));
  const here = current === null ? 0 : (rooms.get(current)?.presence.clients ?? 0);
  if (current !== null && here > 0) clients.set(current, here); // fresher than the list
  const channels = new Set([LOBBY, ...places.keys(), ...rooms.keys(), ...clients.keys()]);
  return [...channels]
    .filter(isRoomName)
    .map((channel) => ({ channel, clients: clients.get(channel) ?? 0 }));
}
