// @ts-check
/**
 * A modal dialog, open as long as it is drawn. The browser keeps the focus inside, closes it on
 * Escape, and gives the focus back to where it was.
 */

import { Icon } from './icons.js';
import { html, useLayoutEffect, useRef } from './vendor/preact.js';

/**
 * @typedef {object} Props
 * @property {string} title
 * @property {string} [className]
 * @property {() => void} onClose
 * @property {unknown} children
 */

/** @param {Props} props */
export function Dialog({ title, className = '', onClose, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const isDrawn = useRef(true);

  useLayoutEffect(() => {
    const { current } = dialog;
    current?.showModal();
    return () => {
      isDrawn.current = false; // its close event comes later, and shall not close the next one
      current?.close();
    };
  }, []);

  /** @param {MouseEvent} event */
  const onClick = (event) => event.target === dialog.current && dialog.current?.close();
  return html`
    <dialog
      ref=${dialog}
      class=${`dialog ${className}`}
      aria-label=${title}
      onClick=${onClick}
      onClose=${() => isDrawn.current && onClose()}
    >
      <div class="dialog-frame">
        <header class="dialog-header">
          <h2>${title}</h2>
          <button
            type="button"
            class="icon"
            aria-label="Close"
            onClick=${() => dialog.current?.close()}
          >
            <${Icon} name="close" />
          </button>
        </header>
        ${children}
      </div>
    </dialog>
  `;
}

/**
 * What stands below a form in a dialog.
 *
 * @param {{ what: string, isBusy?: boolean, problem?: string, isDanger?: boolean, onCancel: () => void }} props
 */
export function FormEnd({ what, isBusy = false, problem = '', isDanger = false, onCancel }) {
  return html`
    ${problem && html`<p class="problem small" role="alert">Not done: ${problem}</p>`}
    <p class="choices">
      <button type="button" class="quiet" onClick=${onCancel}>Cancel</button>
      <button class=${isDanger ? 'danger' : 'primary'} aria-disabled=${isBusy ? 'true' : undefined}>
        ${what}
      </button>
    </p>
  `;
}
