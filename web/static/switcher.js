// @ts-check
/** The quick switcher: a few letters, and Enter goes there. An ARIA combobox in a dialog. */

import { Avatar } from './avatar.js';
import { stepOf } from './combobox.js';
import { Dialog } from './dialog.js';
import { Icon } from './icons.js';
import { optionsOf } from './switcher-options.js';
import { othersIn } from './titles.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/** @import { DialogProps } from './dialogs.js' */
/** @import { Option } from './switcher-options.js' */

const IME_KEY_CODE = 229;

/** @param {DialogProps} props */
export function Switcher({ state, actions, onClose }) {
  const [typed, setTyped] = useState('');
  const [index, setIndex] = useState(0);
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const options = optionsOf(state, typed, actions.recent());
  const active = Math.min(index, options.length - 1);

  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [active, typed]);

  /** @param {Option | undefined} option */
  const choose = (option) => {
    if (!option) return;
    onClose();
    actions.go(option.channel);
  };

  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.isComposing || event.keyCode === IME_KEY_CODE) return;
    if (event.key === 'Enter') {
      event.preventDefault();
      choose(options[active]);
      return;
    }
    const next = stepOf(event.key, active, options.length);
    if (next === null) return;
    event.preventDefault();
    setIndex(next);
  };

  /** @param {any} event */
  const onInput = (event) => {
    setTyped(event.currentTarget.value);
    setIndex(0);
  };

  return html`
    <${Dialog} title="Go to" className="switcher" onClose=${onClose}>
      <input
        type="text"
        role="combobox"
        aria-label="Room or person"
        aria-expanded="true"
        aria-controls="switcher-options"
        aria-activedescendant=${options.length > 0 ? `switcher-${active}` : undefined}
        aria-autocomplete="list"
        placeholder="Room or person"
        autocomplete="off"
        autocapitalize="none"
        spellcheck=${false}
        autofocus=${true}
        value=${typed}
        onInput=${onInput}
        onKeyDown=${onKeyDown}
      />
      <ul ref=${list} id="switcher-options" role="listbox" aria-label="Rooms and people">
        ${options.map(
          (option, at) => html`<li
            key=${`${option.kind}-${option.channel}`}
            id=${`switcher-${at}`}
            role="option"
            aria-selected=${at === active ? 'true' : 'false'}
            onClick=${() => choose(option)}
          >
            <${Sign} option=${option} self=${state.self?.user ?? ''} />
            <span class="room-name"><bdi><${Fitting} ...${option} /></bdi></span>
            <span class="muted small">${option.hint}</span>
          </li>`,
        )}
      </ul>
      ${options.length === 0 && html`<p class="muted" role="status">Nothing is called that.</p>`}
      <p class="keys muted small"><kbd>↑</kbd> <kbd>↓</kbd> choose <kbd>Enter</kbd> go <kbd>Esc</kbd> close</p>
    <//>
  `;
}

const ICONS = /** @type {const} */ ({
  public: 'hash',
  private: 'lock',
  direct: 'people',
  person: 'person',
  new: 'plus',
});

/** @param {{ option: Option, self: string }} props */
function Sign({ option: { kind, channel, title }, self }) {
  const [other, another] = othersIn(channel, self);
  if (other !== undefined && another === undefined) {
    return html`<${Avatar} user=${other} name=${title} />`;
  }
  return html`<span class="kind"><${Icon} name=${ICONS[kind]} /></span>`;
}

/** The title, with the letters that fit marked. @param {Option} option */
function Fitting({ title, ranges }) {
  const parts = [];
  let from = 0;
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    if (start < from) continue;
    parts.push(title.slice(from, start), html`<mark>${title.slice(start, end)}</mark>`);
    from = end;
  }
  return [...parts, title.slice(from)];
}
