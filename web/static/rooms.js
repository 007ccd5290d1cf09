// @ts-check
/** The side panel's list of rooms, in sections, with what is unread. */

import { Avatar } from './avatar.js';
import { Icon, KindIcon } from './icons.js';
import { figure } from './places.js';
import { RoomMenu } from './room-menu.js';
import { pathOf } from './route.js';
import { sectionsOf } from './sections.js';
import { othersIn } from './titles.js';
import { html, useLayoutEffect } from './vendor/preact.js';

/** @import { Actions } from './app.js' */
/** @import { Open } from './dialogs.js' */
/** @import { RoomRow } from './sections.js' */
/** @import { State } from './store.js' */

const number = new Intl.NumberFormat();

/** @typedef {{ state: State, actions: Actions, open: Open }} Props */

/** @param {Props} props */
export function Rooms(props) {
  const { state, actions, open } = props;
  const { publics, privates, directs, others } = sectionsOf(state);
  const isTold = [...state.places.values()].some(({ epoch }) => epoch !== '');
  useLayoutEffect(showCurrent, [state.channel, isTold]);
  return html`
    <nav class="rooms" aria-label="Rooms">
      <${Section}
        ...${props}
        title="Rooms"
        rows=${publics}
        add="Find or open a room"
        onAdd=${() => open({ type: 'browse' })}
      />
      <${Section}
        ...${props}
        title="Private rooms"
        rows=${privates}
        add="New private room"
        onAdd=${() => open({ type: 'create' })}
        none="Rooms for invited people only"
      />
      <${Section}
        ...${props}
        title="Direct messages"
        rows=${directs}
        add="New direct message"
        onAdd=${() => open({ type: 'direct' })}
        none="Talk to somebody alone"
      />
      ${
        others.length > 0 &&
        html`<section class="section">
          <h2 id="section-others">Open rooms</h2>
          <ul aria-labelledby="section-others">
            ${others.map(
              ({ channel, clients }) => html`<li key=${channel} class="room-row">
                <${RoomLink} channel=${channel} onGo=${actions.go}>
                  <${KindIcon} kind="public" />
                  <span class="room-name">${channel}</span>
                  <span class="count" title=${connected(clients)}>${number.format(clients)}</span>
                <//>
              </li>`,
            )}
          </ul>
        </section>`
      }
    </nav>
  `;
}

/** Scrolls to the room on screen, however long the list is: when it changes, not while one looks at others. */
export function showCurrent() {
  document.querySelector('.rooms [aria-current=page]')?.scrollIntoView({ block: 'nearest' });
}

/**
 * @param {Props & { title: string, rows: RoomRow[], add: string, onAdd: () => void, none?: string }} props
 */
function Section({ title, rows, add, onAdd, none = '', ...shared }) {
  const id = `section-${title.toLowerCase().replace(/ /g, '-')}`;
  return html`
    <section class="section">
      <header>
        <h2 id=${id}>${title}</h2>
        <button class="icon small-icon" aria-label=${add} title=${add} onClick=${onAdd}>
          <${Icon} name="plus" />
        </button>
      </header>
      ${
        rows.length > 0
          ? html`<ul aria-labelledby=${id}>
            ${rows.map((row) => html`<${Row} key=${row.channel} row=${row} ...${shared} />`)}
          </ul>`
          : html`<p class="muted small none">${none}</p>`
      }
    </section>
  `;
}

/** @param {Props & { row: RoomRow }} props */
function Row({ row, state, actions, open }) {
  const { channel, kind, title, topic, unread, mentions, isCurrent, isMuted, isInvitation } = row;
  const isLoud = unread > 0 && !isCurrent;
  const [partner, another] = othersIn(channel, state.self?.user ?? '');
  return html`
    <li
      class="room-row"
      data-loud=${isLoud ? 'true' : undefined}
      data-muted=${isMuted ? 'true' : undefined}
    >
      <${RoomLink} ...${{ channel, isCurrent, topic }} onGo=${actions.go}>
        ${
          partner !== undefined && another === undefined
            ? html`<${Avatar} user=${partner} name=${title} />`
            : html`<${KindIcon} kind=${kind} />`
        }
        <span class="room-name"><bdi>${title}</bdi></span>
        ${isMuted && html`<span class="muted-mark"><${Icon} name="muted" /><span class="visually-hidden">muted</span></span>`}
        ${isInvitation && html`<span class="badge invitation">New</span>`}
        <${Badge} unread=${unread} mentions=${mentions} />
      <//>
      <${RoomMenu} className="icon small-icon" ...${{ state, channel, actions, open }} />
    </li>
  `;
}

/** How much is new; loud if somebody means the user. @param {{ unread: number, mentions: number }} props */
function Badge({ unread, mentions }) {
  if (unread === 0) return null;
  const isLoud = mentions > 0;
  const words = isLoud ? `${mentions} for you, ${unread} new` : `${unread} new`;
  return html`<span class=${`badge${isLoud ? ' loud' : ''}`} title=${words}>
    <span aria-hidden="true">${isLoud ? `@${figure(mentions)}` : figure(unread)}</span>
    <span class="visually-hidden">, ${words}</span>
  </span>`;
}

/**
 * @param {object} props
 * @param {string} props.channel
 * @param {boolean} [props.isCurrent]
 * @param {string} [props.topic]
 * @param {(channel: string) => void} props.onGo
 * @param {unknown} props.children
 */
export function RoomLink({ channel, isCurrent = false, topic = '', onGo, children }) {
  /** @param {MouseEvent} event */
  const onClick = (event) => {
    const opensElsewhere =
      event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (opensElsewhere) return;
    event.preventDefault();
    onGo(channel);
  };
  return html`
    <a
      href=${pathOf(channel)}
      aria-current=${isCurrent ? 'page' : undefined}
      title=${topic || undefined}
      onClick=${onClick}
    >
      ${children}
    </a>
  `;
}

/** @param {number} clients */
export function connected(clients) {
  return clients === 1 ? '1 person connected' : `${clients} people connected`;
}
