// @ts-check
/** Who is in the room, how they are, and what one can do with each. */

import { Avatar } from './avatar.js';
import { directChannel, kindOf } from './channels.js';
import { Menu } from './menu.js';
import { people } from './presence.js';
import { html, useMemo, useState } from './vendor/preact.js';

/** @import { Actions } from './app.js' */
/** @import { Open } from './dialogs.js' */
/** @import { Person } from './presence.js' */
/** @import { Room } from './room.js' */

const number = new Intl.NumberFormat();
/** So many are found faster by a name than by looking. */
const FILTER_FROM = 15;

/** @typedef {{ channel: string, room: Room, actions: Actions, open: Open }} Props */

/** @param {Props} props */
export function People({ channel, room, actions, open }) {
  const { presence, selves } = room;
  const [typed, setTyped] = useState('');
  const self = selves.at(-1) ?? '';
  const all = useMemo(() => (presence.members ? people(presence, self) : []), [presence, self]);
  const wanted = typed.trim().toLowerCase();
  const list = all.filter(({ name }) => name.toLowerCase().includes(wanted));
  const isClosed = kindOf(channel) === 'private';

  return html`
    <div class="people">
      ${
        isClosed &&
        html`<button class="invite" onClick=${() => open({ type: 'invite', channel })}>
          Invite people
        </button>`
      }
      ${
        all.length > FILTER_FROM &&
        html`<div class="field">
          <label class="visually-hidden" for="find-person">Find a person</label>
          <input
            id="find-person"
            type="search"
            placeholder="Find a person"
            autocomplete="off"
            value=${typed}
            onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value)}
          />
        </div>`
      }
      ${
        presence.members
          ? html`<ul aria-label="People">
            ${list.map(
              (person) => html`<${Row}
                key=${person.user}
                person=${person}
                isSelf=${person.user === self}
                ...${{ channel, room, actions, open }}
              />`,
            )}
          </ul>`
          : html`<p class="muted small">
            ${
              presence.clients > 0
                ? `Too many to list: ${number.format(presence.clients)} connections`
                : 'Looking who is here…'
            }
          </p>`
      }
    </div>
  `;
}

/** @param {Props & { person: Person, isSelf: boolean }} props */
function Row({ person, isSelf, channel, room, actions, open }) {
  const { user, name, connections, state } = person;
  const self = room.selves.at(-1) ?? '';
  const direct = directChannel([self, user]);
  const items = () => [
    direct !== null &&
      direct !== channel && { words: 'Message', onSelect: () => actions.go(direct) },
    { words: 'Mention', onSelect: () => actions.mention({ user, name }) },
    room.moderates && {
      words: 'Moderate…',
      onSelect: () => open({ type: 'moderate', channel, user, name }),
    },
  ];
  const shown = html`
    <span class="person-avatar">
      <${Avatar} user=${user} name=${name} />
      <${Status} state=${state} />
    </span>
    <bdi class="person-name">${name}</bdi>
    <span class="muted small">
      ${isSelf && 'you'} ${state !== 'online' && state}
      ${connections > 1 && html`<span title=${`${connections} connections`}>×${connections}</span>`}
    </span>
  `;
  return html`
    <li class="person" data-presence=${state}>
      ${
        isSelf
          ? html`<div class="person-row">${shown}</div>`
          : html`<${Menu} label=${`${name}, ${state}`} className="person-row" items=${items}>${shown}<//>`
      }
    </li>
  `;
}

/** A full disc, a half one, a ring: not by colour alone. @param {{ state: string }} props */
export function Status({ state }) {
  return html`<span class="status" data-presence=${state} aria-hidden="true"></span>`;
}
