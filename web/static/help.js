// @ts-check
/** The keyboard shortcuts, in a dialog. */

import { Dialog } from './dialog.js';
import { HELP } from './shortcuts.js';
import { html } from './vendor/preact.js';

/** @param {{ onClose: () => void }} props */
export function Help({ onClose }) {
  return html`
    <${Dialog} title="Keyboard shortcuts" onClose=${onClose}>
      <dl class="help">
        ${HELP.map(
          ([keys, what]) => html`<div key=${keys}>
            <dt>${keys.split(' ').map((key) => html`<kbd>${key}</kbd>${' '}`)}</dt>
            <dd>${what}</dd>
          </div>`,
        )}
      </dl>
    <//>
  `;
}
