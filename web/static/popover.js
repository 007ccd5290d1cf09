// @ts-check
/** What opens beside a button, above all else: goes with Escape, or a click anywhere else. */

import { html, useLayoutEffect, useRef } from './vendor/preact.js';

const GAP_PX = 6;

/**
 * @typedef {object} Props
 * @property {() => Element | null | undefined} anchor
 * @property {string} class
 * @property {Record<string, string>} [attributes]
 * @property {() => void} onClose
 * @property {unknown} [children]
 */

/** @param {Props} props */
export function Popover({ anchor, class: name, attributes = {}, onClose, children }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const isGone = useRef(false);

  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return undefined;
    current.showPopover();
    place(current, anchor());
    const first = /** @type {HTMLElement | null} */ (current.querySelector('[data-first]'));
    first?.focus();
    return () => {
      isGone.current = true;
      current.hidePopover(); // the focus goes back to where it was, if it is still in here
    };
  }, []);

  /** @param {ToggleEvent} event */
  const onToggle = (event) => {
    if (event.newState === 'closed' && !isGone.current) onClose();
  };

  return html`
    <div ref=${box} popover="auto" class=${`popover ${name}`} ...${attributes} onToggle=${onToggle}>
      ${children}
    </div>
  `;
}

/** Below the anchor if there is room, else above, and within the window. @param {HTMLElement} box @param {Element | null | undefined} anchor */
function place(box, anchor) {
  const at = anchor?.getBoundingClientRect() ?? new DOMRect(innerWidth / 2, innerHeight / 2);
  const { width, height } = box.getBoundingClientRect();
  const below = at.bottom + GAP_PX;
  const hasRoom = below + height + GAP_PX <= innerHeight;
  box.style.top = `${hasRoom ? below : Math.max(GAP_PX, at.top - height - GAP_PX)}px`;
  box.style.left = `${Math.max(GAP_PX, Math.min(at.right - width, innerWidth - width - GAP_PX))}px`;
}
