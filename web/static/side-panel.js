// @ts-check
/** What stands beside a room: its members, or the search. A dialog where there is no space beside. */

import { Dialog } from './dialog.js';
import { Icon } from './icons.js';
import { People } from './people.js';
import { SearchPanel } from './search-panel.js';
import { html, useEffect, useRef } from './vendor/preact.js';

/** @import { Actions } from './app.js' */
/** @import { Open } from './dialogs.js' */
/** @import { State } from './store.js' */

/** @typedef {'members' | 'search' | null} Panel */

const TITLES = { members: 'Members', search: 'Search' };

/**
 * @param {object} props
 * @param {'members' | 'search'} props.panel
 * @param {State} props.state
 * @param {Actions} props.actions
 * @param {Open} props.open
 * @param {boolean} props.isBeside
 * @param {() => void} props.onClose
 */
export function SidePanel({ panel, state, actions, open, isBeside, onClose }) {
  const { channel } = state;
  const room = channel === null ? undefined : state.rooms.get(channel);
  const title = TITLES[panel];
  const content =
    panel === 'search'
      ? html`<${SearchPanel} ...${{ state, actions }} onGo=${() => isBeside || onClose()} />`
      : channel !== null &&
        room &&
        !room.refusal &&
        html`<${People} key=${channel} ...${{ channel, room, actions, open }} />`;
  return isBeside
    ? html`<${Beside} ...${{ title, onClose }}>${content}<//>`
    : html`<${Dialog} title=${title} className="side-drawer" onClose=${onClose}>${content}<//>`;
}

/** @param {{ title: string, onClose: () => void, children: unknown }} props */
function Beside({ title, onClose, children }) {
  const before = useRef(document.activeElement);
  const aside = useRef(/** @type {HTMLElement | null} */ (null));

  // The focus goes back to where it was, unless it has gone elsewhere meanwhile.
  useEffect(() => {
    const { current } = aside;
    return () => {
      const isInside = current?.contains(document.activeElement) || document.activeElement === document.body;
      if (isInside && before.current instanceof HTMLElement) before.current.focus();
    };
  }, []);

  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => event.key === 'Escape' && !event.defaultPrevented && onClose();
  return html`
    <aside ref=${aside} class="side" aria-label=${title} onKeyDown=${onKeyDown}>
      <header class="dialog-header">
        <h2>${title}</h2>
        <button class="icon" aria-label=${`Close ${title.toLowerCase()}`} onClick=${onClose}>
          <${Icon} name="close" />
        </button>
      </header>
      ${children}
    </aside>
  `;
}
