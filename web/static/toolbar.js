// @ts-check
/** What one can do about a message: a toolbar that comes with the pointer or the focus. */

import { copyText } from './browser.js';
import { editing, replying } from './drafts.js';
import { Picker } from './picker.js';
import { Popover } from './popover.js';
import { excerptOf } from './quote.js';
import { pathOf } from './route.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact.js';

/** @import { MessageRow } from './rows.js' */

const NOTICE_LASTS_MS = 2000;

const ICONS = {
  react: 'M12 3a9 9 0 1 0 9 9M8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5v.5M15 9.5v.5M19 2v6M16 5h6',
  reply: 'M9 7L4 12l5 5M4 12h10a6 6 0 0 1 6 6v1',
  edit: 'M4 20l1-4L16.5 4.5a2.1 2.1 0 0 1 3 3L8 19l-4 1z',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
};

/**
 * @typedef {object} Props
 * @property {MessageRow & { offset: number }} row
 * @property {string} channel
 * @property {boolean} canEdit
 * @property {boolean} canDelete
 * @property {string} self
 * @property {'' | 'picker' | 'menu' | 'delete'} open
 * @property {(what: Props['open']) => void} onOpen
 * @property {import('./app.js').Actions} actions
 */

/** @param {Props} props */
export function Toolbar({ row, channel, canEdit, canDelete, self, open, onOpen, actions }) {
  const { offset, name, text, reactions } = row;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [notice, setNotice] = useState('');

  useEffect(() => {
    if (!notice) return undefined;
    const timer = setTimeout(() => setNotice(''), NOTICE_LASTS_MS);
    return () => clearTimeout(timer);
  }, [notice]);

  /** @param {string} emoji */
  const react = (emoji) => {
    const on = !(reactions[emoji] ?? []).includes(self);
    actions.change({ type: 'reaction', target: offset, emoji, on });
  };
  const reply = () => actions.draft((draft) => replying(draft, offset));
  const edit = () => actions.draft((draft) => editing(draft, { offset, text }));
  /** @param {string} what */
  const copy = async (what) => setNotice((await copyText(what)) ? 'Copied' : 'Not copied');

  /** @type {(readonly [label: string, run: () => void])[]} */
  const items = [
    ['Reply', reply],
    ...(canEdit ? [/** @type {const} */ (['Edit', edit])] : []),
    ['Copy text', () => copy(text)],
    ['Copy link', () => copy(`${location.origin}${pathOf(channel)}#m${offset}`)],
    ...(canDelete ? [/** @type {const} */ (['Delete', () => onOpen('delete')])] : []),
  ];

  /** @param {string} what @param {keyof typeof ICONS} icon @param {() => void} run @param {string} [opens] */
  const button = (what, icon, run, opens) => html`
    <button
      type="button"
      class="icon"
      aria-label=${what}
      title=${what}
      aria-haspopup=${opens}
      onClick=${run}
    >
      <svg class=${icon} viewBox="0 0 24 24" aria-hidden="true"><path d=${ICONS[icon]} /></svg>
    </button>
  `;

  const anchor = () => box.current;
  const close = () => onOpen('');
  return html`
    <div
      class="toolbar"
      role="toolbar"
      aria-label=${`Message of ${name}`}
      ref=${box}
      onKeyDown=${walk}
    >
      ${notice && html`<span class="muted small" role="status">${notice}</span>`}
      ${button('React', 'react', () => onOpen('picker'), 'dialog')}
      ${button('Reply', 'reply', reply)}
      ${canEdit && button('Edit', 'edit', edit)}
      ${button('More', 'more', () => onOpen('menu'), 'menu')}
    </div>
    ${open === 'picker' && html`<${Picker} ...${{ anchor }} onPick=${react} onClose=${close} />`}
    ${open === 'menu' && html`<${Menu} ...${{ anchor, items, onOpen }} />`}
    ${
      open === 'delete' &&
      html`<${Delete}
        ...${{ name, text }}
        onClose=${close}
        onDelete=${() => actions.change({ type: 'delete', target: offset })}
      />`
    }
  `;
}

/**
 * @typedef {object} MenuProps
 * @property {() => Element | null} anchor
 * @property {readonly (readonly [label: string, run: () => void])[]} items
 * @property {Props['onOpen']} onOpen
 */

/** @param {MenuProps} props */
function Menu({ anchor, items, onOpen }) {
  /** What an item opens takes the menu's place. @param {() => void} run */
  const choose = (run) => {
    onOpen('');
    run();
  };
  return html`
    <${Popover} class="menu" anchor=${anchor} onClose=${() => onOpen('')}>
      <div role="menu" aria-label="Message" onKeyDown=${walk}>
        ${items.map(
          ([label, run], index) => html`<button
            type="button"
            role="menuitem"
            class=${label === 'Delete' ? 'problem' : ''}
            data-first=${index === 0 ? '' : undefined}
            onClick=${() => choose(run)}
          >
            ${label}
          </button>`,
        )}
      </div>
    <//>
  `;
}

/** @param {{ name: string, text: string, onDelete: () => void, onClose: () => void }} props */
function Delete({ name, text, onDelete, onClose }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayoutEffect(() => dialog.current?.showModal(), []);

  const confirm = () => {
    const message = /** @type {HTMLElement | null | undefined} */ (dialog.current?.closest('.message'));
    dialog.current?.close();
    onDelete();
    message?.focus(); // the button that had the focus goes with the message
  };
  return html`
    <dialog class="confirm" ref=${dialog} aria-labelledby="delete-title" onClose=${onClose}>
      <h2 id="delete-title">Delete this message?</h2>
      <p class="muted"><bdi>${name}</bdi>: <bdi>${excerptOf(text)}</bdi></p>
      <p class="choices">
        <button type="button" class="danger" onClick=${confirm}>Delete</button>
        <button type="button" onClick=${() => dialog.current?.close()}>Cancel</button>
      </p>
    </dialog>
  `;
}

/** The arrows go from one button to the next. @param {KeyboardEvent} event */
function walk(event) {
  const box = /** @type {HTMLElement} */ (event.currentTarget);
  const step = STEPS[event.key];
  if (step === undefined) return;
  const buttons = [...box.querySelectorAll('button')];
  const now = buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target));
  if (now < 0) return;
  event.preventDefault();
  event.stopPropagation();
  buttons[(now + step + buttons.length) % buttons.length]?.focus();
}

/** @type {Readonly<Record<string, number>>} */
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
