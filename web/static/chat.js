// @ts-check
/** The chat: rooms (a drawer on narrow screens), the room on screen, and what stands beside it. */

import { Announcer } from './announcer.js';
import { useMedia } from './browser.js';
import { Composer } from './composer.js';
import { EMPTY_DRAFT } from './drafts.js';
import { Banner } from './connection-state.js';
import { Dialogs } from './dialogs.js';
import { RoomHeader } from './room-header.js';
import { showCurrent } from './rooms.js';
import { commandOf, isTextField } from './shortcuts.js';
import { Sidebar } from './sidebar.js';
import { SidePanel } from './side-panel.js';
import { Timeline } from './timeline.js';
import { titleIn } from './titles.js';
import { Toasts } from './toasts.js';
import { TypingLine } from './typing-line.js';
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from './vendor/preact.js';

/** @import { Wanted } from './dialogs.js' */
/** @import { Command } from './shortcuts.js' */
/** @import { Panel } from './side-panel.js' */

/** @typedef {{ state: import('./store.js').State, actions: import('./app.js').Actions }} Props */

/** @param {Props} props */
export function Chat({ state, actions }) {
  const isNarrow = useMedia('(max-width: 52rem)');
  const isBeside = useMedia('(min-width: 68rem)');
  const drawer = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [panel, setPanel] = useState(/** @type {Panel} */ (isBeside ? 'members' : null));
  const [wanted, setWanted] = useState(/** @type {Wanted | null} */ (null));
  const opened = useRef(0);
  const { channel, link, hidden } = state;
  const place = channel === null ? undefined : state.places.get(channel);
  const room = channel === null ? undefined : state.rooms.get(channel);
  const title = channel === null ? '' : titleIn(state, channel);

  // With the room, not after it: as long as the drawer is open, keys go into it, and where it gives
  // the focus back, one does not write.
  useLayoutEffect(() => {
    drawer.current?.close();
    if (!isBeside) setPanel(null);
  }, [channel, isBeside]);
  /** @param {Wanted} dialog */
  const open = (dialog) => {
    opened.current += 1; // one that is asked for again while it closes is another one
    setWanted(dialog);
  };

  useShortcuts({
    switch: () => open({ type: 'switch' }),
    help: () => open({ type: 'help' }),
    search() {
      setPanel('search');
      document.getElementById('query')?.focus();
    },
    previous: () => actions.goBy(-1),
    next: () => actions.goBy(1),
  });

  const openDrawer = () => {
    drawer.current?.showModal();
    showCurrent();
  };

  /** @param {MouseEvent} event */
  const closeOnBackdrop = (event) => event.target === drawer.current && drawer.current?.close();

  // Whoever writes shall not have hundreds of messages compared at each key.
  const timeline = useMemo(
    () =>
      channel !== null &&
      room &&
      html`<${Timeline} key=${channel} ...${{ channel, title, room, place, link, hidden, actions }} />`,
    [channel, title, room, place, link, hidden],
  );
  const draft = state.drafts.get(channel ?? '') ?? EMPTY_DRAFT;

  const sidebar = html`<${Sidebar} ...${{ state, actions, open }} />`;
  return html`
    <div class="chat" data-beside=${isBeside && panel !== null ? panel : undefined}>
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
        <${RoomHeader}
          ...${{ state, actions, open, panel }}
          onPanel=${setPanel}
          onRooms=${isNarrow ? openDrawer : null}
        />
        <${Banner} state=${state} onReconnect=${actions.reconnect} />
        ${
          channel !== null && room
            ? html`
              ${timeline}
              <${Announcer} key=${`announcer-${channel}`} room=${room} />
              <${TypingLine} typists=${room.typists} />
              <${Composer} key=${`composer-${channel}`} ...${{ channel, title, room, draft, actions }} />
            `
            : html`<${NoRoom} />`
        }
      </main>
      ${
        panel !== null &&
        html`<${SidePanel}
          key=${panel}
          ...${{ panel, state, actions, open, isBeside }}
          onClose=${() => setPanel(null)}
        />`
      }
      <${Toasts} state=${state} actions=${actions} />
      <${Dialogs}
        key=${`dialog-${opened.current}`}
        ...${{ wanted, state, actions }}
        onClose=${() => setWanted(null)}
      />
    </div>
  `;
}

/**
 * Does what the keys say, unless a dialog is open, whose keys they are.
 *
 * @param {Record<Command, () => void>} commands
 */
function useShortcuts(commands) {
  const latest = useRef(commands);
  latest.current = commands;
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const onKeyDown = (event) => {
      if (event.defaultPrevented || event.isComposing) return;
      const { key, ctrlKey, metaKey, shiftKey, altKey, target } = event;
      const isTyping = isTextField(target);
      const command = commandOf({ key, ctrlKey, metaKey, shiftKey, altKey, isTyping });
      if (!command) return;
      if (document.querySelector('dialog:modal')) return;
      event.preventDefault();
      latest.current[command]();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
}

function NoRoom() {
  return html`
    <p class="notice">
      A room's name has up to 64 letters, digits, dots, dashes and underscores.${' '}
      <a href="/">Go to the lobby</a>
    </p>
  `;
}
