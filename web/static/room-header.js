// @ts-check
/** The bar above a room: what it is called and about, how many people, and what can be opened. */

import { kindOf } from './channels.js';
import { ConnectionState } from './connection-state.js';
import { Icon, KindIcon } from './icons.js';
import { figure } from './places.js';
import { maySetTopic, RoomMenu } from './room-menu.js';
import { topicOf } from './sections.js';
import { unreadIn } from './title.js';
import { titleIn } from './titles.js';
import { html } from './vendor/preact.js';

/** @import { Actions } from './app.js' */
/** @import { Open } from './dialogs.js' */
/** @import { State } from './store.js' */
/** @import { Panel } from './side-panel.js' */

const number = new Intl.NumberFormat();

/**
 * @param {object} props
 * @param {State} props.state
 * @param {Actions} props.actions
 * @param {Open} props.open
 * @param {Panel} props.panel
 * @param {(panel: Panel) => void} props.onPanel
 * @param {(() => void) | null} props.onRooms opens the list of rooms, where it is not on screen
 */
export function RoomHeader({ state, actions, open, panel, onPanel, onRooms }) {
  const { channel } = state;
  const kind = channel === null ? null : kindOf(channel);
  const { unread } = unreadIn(state);
  const kept = channel === null ? undefined : state.places.get(channel);
  const place = channel !== null && kept && { channel, notify: kept.notify };
  const here = channel === null ? 0 : (state.rooms.get(channel)?.presence.users ?? 0);
  return html`
    <header class="room-header">
      ${
        onRooms &&
        html`<button class="icon drawer-button" aria-label="Rooms and people" onClick=${onRooms}>
          <${Icon} name="menu" />
          ${unread > 0 && html`<span class="badge loud" aria-hidden="true">${figure(unread)}</span>`}
        </button>`
      }
      <div class="room-title">
        <h1>
          ${kind && html`<${KindIcon} kind=${kind} />`}
          <bdi>${channel === null ? 'No such room' : titleIn(state, channel)}</bdi>
        </h1>
        ${channel !== null && kind !== 'direct' && html`<${Topic} ...${{ state, channel, open }} />`}
      </div>
      <${ConnectionState} state=${state} />
      ${place && html`<${Mute} onToggle=${() => actions.notify(place.channel, !place.notify)} ...${place} />`}
      ${
        channel !== null &&
        html`
          <button
            class="icon with-count"
            aria-label=${`Members, ${here} here`}
            aria-expanded=${panel === 'members' ? 'true' : 'false'}
            title="Members"
            onClick=${() => onPanel(panel === 'members' ? null : 'members')}
          >
            <${Icon} name="people" />
            ${here > 0 && html`<span class="count">${number.format(here)}</span>`}
          </button>
        `
      }
      <button
        class="icon"
        aria-label="Search messages"
        aria-expanded=${panel === 'search' ? 'true' : 'false'}
        aria-keyshortcuts="/ Control+Shift+F"
        title="Search messages ( / )"
        onClick=${() => onPanel(panel === 'search' ? null : 'search')}
      >
        <${Icon} name="search" />
      </button>
      ${channel !== null && html`<${RoomMenu} ...${{ state, channel, actions, open }} />`}
    </header>
  `;
}

/** @param {{ notify: boolean, onToggle: () => void }} props */
function Mute({ notify, onToggle }) {
  return html`
    <button
      class="icon mute"
      aria-pressed=${notify ? 'false' : 'true'}
      aria-label="Mute this room"
      title=${notify ? 'Mute this room: only mentions count' : 'This room is muted: only mentions count'}
      onClick=${onToggle}
    >
      <${Icon} name=${notify ? 'loud' : 'muted'} />
    </button>
  `;
}

/** @param {{ state: State, channel: string, open: Open }} props */
function Topic({ state, channel, open }) {
  const topic = topicOf(state, channel);
  if (!maySetTopic(state, channel)) {
    return topic && html`<p class="topic muted small" title=${topic}><bdi>${topic}</bdi></p>`;
  }
  return html`
    <button
      class="topic muted small"
      title=${topic || 'Say what the room is about'}
      aria-label=${topic ? `Topic: ${topic}. Change it` : 'Add a topic'}
      onClick=${() => open({ type: 'topic', channel })}
    >
      <bdi>${topic || 'Add a topic'}</bdi>
    </button>
  `;
}
