// @ts-check
/** Where one chooses an emoji: a search, those used last, and all of them in groups. */

import { isTouch, stored } from './browser.js';
import { loadEmoji, recentEmoji, searchEmoji, withRecent } from './emoji.js';
import { Popover } from './popover.js';
import { html, useEffect, useMemo, useRef, useState } from './vendor/preact.js';

/** @import { Emoji, Group } from './emoji.js' */

const MOST_FOUND = 60;
const MOST_COLUMNS = 8;

const recent = stored(() => localStorage, 'parley.emoji');

/** Those used last. */
export function recents() {
  return recentEmoji(recent.load());
}

/** @param {string} emoji */
export function remember(emoji) {
  recent.save(withRecent(recent.load(), emoji));
}

/**
 * @typedef {object} Props
 * @property {() => Element | null | undefined} anchor
 * @property {(emoji: string) => void} onPick
 * @property {() => void} onClose
 */

/** @param {Props} props */
export function Picker({ anchor, onPick, onClose }) {
  const [groups, setGroups] = useState(/** @type {readonly Group[] | null} */ (null));
  const [problem, setProblem] = useState('');
  const [query, setQuery] = useState('');
  const list = useRef(/** @type {HTMLElement | null} */ (null));

  const load = async () => {
    try {
      const loaded = await loadEmoji();
      setProblem('');
      setGroups(loaded);
      return loaded;
    } catch {
      setProblem('The emojis could not be loaded.');
      return [];
    }
  };
  useEffect(() => void load(), []);

  /** @param {string} emoji */
  const pick = (emoji) => {
    remember(emoji);
    onPick(emoji);
    onClose();
  };

  /** Of what is typed now, whether or not it is shown yet. @param {KeyboardEvent} event */
  const pickFirst = async (event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    event.preventDefault();
    const [first] = searchEmoji(await load(), value, 1);
    if (first) pick(first.emoji);
  };

  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const buttons = [...(list.current?.querySelectorAll('button') ?? [])];
    const now = buttons.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    if (now < 0) {
      if (event.key === 'ArrowDown') move(event, buttons[0]);
      if (event.key === 'Enter') pickFirst(event);
      return;
    }
    if (event.key === 'ArrowUp' && isFirstRow(buttons, now)) {
      move(event, list.current?.parentElement?.querySelector('input'));
    } else {
      move(event, neighbour(buttons, now, event.key));
    }
  };

  const found = useMemo(() => (groups ? searchEmoji(groups, query, MOST_FOUND) : []), [groups, query]);
  const all = useMemo(() => groups && html`<${All} groups=${groups} onPick=${pick} />`, [groups]);

  /** @param {string} name */
  const show = (name) =>
    list.current?.querySelector(`[aria-label="${CSS.escape(name)}"]`)?.scrollIntoView();

  return html`
    <${Popover}
      class="picker"
      attributes=${{ role: 'dialog', 'aria-label': 'Choose an emoji' }}
      ...${{ anchor, onClose }}
    >
      <div onKeyDown=${onKeyDown}>
        <input
          type="search"
          data-first=${isTouch() ? undefined : ''}
          aria-label="Search emojis"
          placeholder="Search"
          autocomplete="off"
          value=${query}
          onInput=${(/** @type {InputEvent} */ event) =>
            setQuery(/** @type {HTMLInputElement} */ (event.currentTarget).value)}
        />
        ${
          groups &&
          !query &&
          html`<div class="picker-groups" role="group" aria-label="Go to">
          ${groups.map(
            ({ name, emojis }) =>
              html`<button type="button" aria-label=${name} title=${name} onClick=${() => show(name)}>
              ${emojis[0]?.emoji}
            </button>`,
          )}
        </div>`
        }
        <div class="picker-list" ref=${list}>
          ${problem && html`<p class="problem small" role="alert">${problem}</p>`}
          ${!groups && !problem && html`<p class="muted small">Loading…</p>`}
          ${query && groups && found.length === 0 && html`<p class="muted small">No such emoji</p>`}
          ${query && html`<${Grid} name="Found" isFirst emojis=${found} onPick=${pick} />`}
          ${!query && all}
        </div>
      </div>
    <//>
  `;
}

/** @param {{ groups: readonly Group[], onPick: (emoji: string) => void }} props */
function All({ groups, onPick }) {
  const known = new Map(groups.flatMap(({ emojis }) => emojis.map((one) => [one.emoji, one])));
  const used = recents().map((emoji) => known.get(emoji) ?? { emoji, shortcodes: [], words: emoji });
  return html`
    <${Grid} name="Used last" isFirst emojis=${used} onPick=${onPick} />
    ${groups.map(
      ({ name, emojis }) => html`<${Grid} key=${name} ...${{ name, emojis, onPick }} />`,
    )}
  `;
}

/**
 * Tab leads to the first emoji, the arrows to the others.
 *
 * @typedef {object} GridProps
 * @property {string} name
 * @property {boolean} [isFirst]
 * @property {readonly Emoji[]} emojis
 * @property {(emoji: string) => void} onPick
 */

/** @param {GridProps} props */
function Grid({ name, isFirst, emojis, onPick }) {
  return html`
    <section class="picker-group" aria-label=${name}>
      <p class="picker-title" aria-hidden="true">${name}</p>
      <div>
        ${emojis.map(({ emoji, shortcodes, words }, index) => {
          const label = shortcodes[0] ? `:${shortcodes[0]}:` : words;
          return html`<button
            key=${emoji}
            type="button"
            tabindex=${isFirst && index === 0 ? 0 : -1}
            aria-label=${`${emoji} ${label}`}
            title=${label}
            onClick=${() => onPick(emoji)}
          >
            ${emoji}
          </button>`;
        })}
      </div>
    </section>
  `;
}

/** @param {KeyboardEvent} event @param {HTMLElement | null | undefined} to */
function move(event, to) {
  if (!to) return;
  event.preventDefault();
  to.focus();
}

/** @param {HTMLElement | undefined} button */
function rowOf(button) {
  return button && Math.round(button.getBoundingClientRect().top);
}

/** @param {readonly HTMLElement[]} buttons @param {number} now */
function isFirstRow(buttons, now) {
  return rowOf(buttons[now]) === rowOf(buttons[0]);
}

/** @param {HTMLElement} a @param {HTMLElement} b */
function distance(a, b) {
  return Math.abs(a.getBoundingClientRect().left - b.getBoundingClientRect().left);
}

/** @param {readonly HTMLElement[]} buttons @param {number} now @param {string} key */
function neighbour(buttons, now, key) {
  if (key === 'ArrowLeft') return buttons[now - 1];
  if (key === 'ArrowRight') return buttons[now + 1];
  if (key === 'Home') return buttons[0];
  if (key === 'End') return buttons.at(-1);
  const here = buttons[now];
  if (!here) return undefined;
  /** In the next row, the one that is nearest. @param {readonly HTMLElement[]} others */
  const nearest = (others) => {
    const start = others.findIndex((other) => rowOf(other) !== rowOf(here));
    if (start < 0) return undefined;
    const row = others.slice(start).filter((_, index) => index < MOST_COLUMNS);
    return row
      .filter((other) => rowOf(other) === rowOf(row[0]))
      .sort((a, b) => distance(a, here) - distance(b, here))[0];
  };
  if (key === 'ArrowDown') return nearest(buttons.slice(now + 1));
  if (key === 'ArrowUp') return nearest(buttons.slice(0, now).reverse());
  return undefined;
}
