// @ts-check
/**
 * A button with a menu, by the ARIA pattern: arrows move, Home and End, a letter goes to the entry
 * that begins with it; Escape closes and gives the focus back to the button.
 */

import { html, useEffect, useRef, useState } from './vendor/preact.js';

/**
 * @typedef {{ words: string, onSelect: () => void, isDanger?: boolean }} Item
 *
 * @typedef {object} Props
 * @property {string} label of the button; what it shows may be something else
 * @property {string} [className] of the button
 * @property {() => (Item | false | null | undefined)[]} items asked for when it opens
 * @property {unknown} children what the button shows
 */

const GAP_PX = 4;
const WIDTH_PX = 240;
const ITEM_PX = 40;

let made = 0;

/** @param {Props} props */
export function Menu({ label, className = 'icon', items, children }) {
  const [id] = useState(() => `menu-${(made += 1)}`);
  const [shown, setShown] = useState(/** @type {Item[]} */ ([]));
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const isOpen = shown.length > 0;

  useEffect(() => {
    const isInside = list.current?.contains(document.activeElement);
    if (isOpen && !isInside) entries(list.current)[0]?.focus();
  }, [isOpen]);

  /** @param {ToggleEvent} event */
  const onBeforeToggle = (event) => {
    const next = event.newState === 'open' ? items().filter(isItem) : [];
    if (button.current && list.current) place(list.current, button.current, next.length);
    setShown(next);
  };

  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.key === 'Escape') event.stopPropagation(); // it closes the menu, and nothing around it
    if (event.key === 'Tab') list.current?.hidePopover();
    const to = target(event.key, entries(list.current));
    if (!to) return;
    event.preventDefault();
    to.focus();
  };

  /** @param {Item} item */
  const select = (item) => {
    list.current?.hidePopover(); // the focus goes back to the button before what comes takes it
    item.onSelect();
  };

  return html`
    <button
      ref=${button}
      type="button"
      class=${className}
      aria-label=${label}
      aria-haspopup="menu"
      aria-expanded=${isOpen ? 'true' : 'false'}
      popovertarget=${id}
    >
      ${children}
    </button>
    <div
      ref=${list}
      id=${id}
      class="menu"
      role="menu"
      aria-label=${label}
      popover="auto"
      onBeforeToggle=${onBeforeToggle}
      onKeyDown=${onKeyDown}
    >
      ${shown.map(
        (item) => html`<button
          key=${item.words}
          type="button"
          role="menuitem"
          tabindex="-1"
          class=${item.isDanger ? 'danger' : undefined}
          onClick=${() => select(item)}
        >
          ${item.words}
        </button>`,
      )}
    </div>
  `;
}

/** @param {Item | false | null | undefined} item @returns {item is Item} */
function isItem(item) {
  return Boolean(item);
}

/** @param {HTMLElement | null} list @returns {HTMLElement[]} */
function entries(list) {
  return [.../** @type {NodeListOf<HTMLElement>} */ (list?.querySelectorAll('[role=menuitem]') ?? [])];
}

/** @param {string} key @param {HTMLElement[]} all */
function target(key, all) {
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  if (key === 'ArrowDown') return all[(at + 1) % all.length];
  if (key === 'ArrowUp') return all[(at - 1 + all.length) % all.length];
  if (key === 'Home') return all[0];
  if (key === 'End') return all.at(-1);
  if (key.length !== 1 || key === ' ') return undefined;
  const begins = (/** @type {HTMLElement} */ one) =>
    one.innerText.toLowerCase().startsWith(key.toLowerCase());
  return [...all.slice(at + 1), ...all.slice(0, at + 1)].find(begins);
}

/** Below its button, or above where there is no room; never off the screen. */
function place(
  /** @type {HTMLElement} */ list,
  /** @type {HTMLElement} */ button,
  /** @type {number} */ count,
) {
  const { top, bottom, left, right } = button.getBoundingClientRect();
  const height = count * ITEM_PX + 16;
  const below = bottom + GAP_PX + height <= window.innerHeight;
  const fromTop = below ? bottom + GAP_PX : Math.max(GAP_PX, top - GAP_PX - height);
  const fits = left + WIDTH_PX <= window.innerWidth;
  const fromLeft = fits ? left : Math.max(GAP_PX, right - WIDTH_PX);
  list.style.top = `${fromTop}px`;
  list.style.left = `${fromLeft}px`;
  list.style.minWidth = `${WIDTH_PX}px`;
}
