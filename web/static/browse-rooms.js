// @ts-check
/** Finds public rooms by name or topic, and opens one, or a new one of the name that was typed. */

import { isRoomName, roomNameFrom } from './channels.js';
import { Dialog } from './dialog.js';
import { KindIcon } from './icons.js';
import { LONGEST_TOPIC } from './room-forms.js';
import { pace } from './pace.js';
import { connected, RoomLink } from './rooms.js';
import { html, useEffect, useState } from './vendor/preact.js';

/** @import { DialogProps } from './dialogs.js' */
/** @import { ActiveRoom } from './store.js' */

const LONGEST_QUERY = 64;
const MOST_FOUND = 50;

/** @param {DialogProps} props */
export function BrowseRooms({ state, actions, onClose }) {
  const [typed, setTyped] = useState('');
  const [topic, setTopic] = useState('');
  const { found, problem } = useRooms(typed.trim(), actions);
  const name = roomNameFrom(typed);
  const isNew = isRoomName(name) && found !== null && !found.some(({ channel }) => channel === name);
  const isGuest = state.self?.user.startsWith('guest-') ?? true;

  /** @param {string} channel */
  const go = (channel) => {
    onClose();
    actions.go(channel);
  };
  /** @param {SubmitEvent} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    if (!isRoomName(name)) return;
    go(name);
    // Entering makes it, and what we ask for after that is done after that.
    if (isNew && topic.trim()) await actions.ask('topic', { channel: name, topic: topic.trim() });
  };

  return html`
    <${Dialog} title="Rooms" className="wide" onClose=${onClose}>
      <form class="stack" onSubmit=${onSubmit}>
        <div class="field">
          <label for="room">Find, open or create a room</label>
          <input
            id="room"
            autofocus=${true}
            type="text"
            maxlength=${LONGEST_QUERY}
            autocomplete="off"
            autocapitalize="none"
            spellcheck=${false}
            value=${typed}
            onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value)}
          />
        </div>
        ${
          isNew &&
          html`<div class="new-room">
            ${
              !isGuest &&
              html`<div class="field">
                <label for="new-topic">Topic of the new room (optional)</label>
                <input
                  id="new-topic"
                  maxlength=${LONGEST_TOPIC}
                  autocomplete="off"
                  value=${topic}
                  onInput=${(/** @type {any} */ event) => setTopic(event.currentTarget.value)}
                />
              </div>`
            }
            <button class="primary">Create ${name}</button>
          </div>`
        }
        ${typed.trim() !== '' && !isRoomName(name) && html`<p class="muted small">No room can be called that: a name has up to 64 letters, digits, dots, dashes and underscores.</p>`}
      </form>
      ${problem && html`<p class="problem small" role="alert">${problem}</p>`}
      <p class="visually-hidden" role="status">${found && `${found.length} rooms`}</p>
      <ul class="found-rooms rooms" aria-label="Rooms found">
        ${(found ?? []).map(
          (room) => html`<li key=${room.channel}>
            <${RoomLink} channel=${room.channel} isCurrent=${room.channel === state.channel} onGo=${go}>
              <${KindIcon} kind="public" />
              <span class="room-name">
                ${room.channel}
                ${room.topic && html`<span class="topic-line muted small"><bdi>${room.topic}</bdi></span>`}
              </span>
              <span class="count">${room.clients > 0 && connected(room.clients)}</span>
            <//>
          </li>`,
        )}
      </ul>
      ${found?.length === 0 && !isNew && html`<p class="muted">No room is called that.</p>`}
    <//>
  `;
}

/**
 * The rooms that fit; without a query those where somebody is.
 *
 * @param {string} query
 * @param {import('./app.js').Actions} actions
 */
function useRooms(query, actions) {
  const [answer, setAnswer] = useState(
    /** @type {{ found: ActiveRoom[] | null, problem: string }} */ ({ found: null, problem: '' }),
  );
  useEffect(() => {
    let isWanted = true;
    const ask = async () => {
      if (query) pace.asked();
      const request = { limit: MOST_FOUND, ...(query && { query }) };
      const { data, problem } = await actions.ask('rooms', request);
      if (isWanted) setAnswer({ found: problem ? null : data.rooms, problem });
    };
    const timer = setTimeout(ask, query ? pace.delay() : 0);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [query]);
  return answer;
}
