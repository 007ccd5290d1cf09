// @ts-check
/** What a moderator can do about somebody: a button that opens a dialog. */

import { html, useRef, useState } from './vendor/preact.js';

const HOUR_MS = 60 * 60 * 1000;
const DURATIONS = [
  ['An hour', HOUR_MS],
  ['A day', 24 * HOUR_MS],
  ['A week', 7 * 24 * HOUR_MS],
  ['For ever', 0],
];

/** @param {{ user: string, name: string, actions: import('./app.js').Actions }} props */
export function Moderate({ user, name, actions }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [problem, setProblem] = useState('');

  /** @param {SubmitEvent} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const method = /** @type {HTMLButtonElement} */ (event.submitter).value;
    const fields = new FormData(form);
    const lasts = Number(fields.get('lasts'));
    const until = method !== 'kick' && lasts > 0 ? { until: Date.now() + lasts } : {};
    const wrong = await actions.moderate(method, { user, reason: fields.get('reason'), ...until });
    setProblem(wrong);
    if (!wrong) dialog.current?.close();
  };

  return html`
    <button
      class="quiet small"
      aria-label="Moderate ${name}"
      onClick=${() => dialog.current?.showModal()}
    >
      …
    </button>
    <dialog class="moderate" ref=${dialog} aria-label="Moderate ${name}">
      <form onSubmit=${onSubmit}>
        <h2><bdi>${name}</bdi></h2>
        <label>Why <input name="reason" required maxlength="200" autocomplete="off" /></label>
        <label>
          For how long (mute, ban)
          <select name="lasts">
            ${DURATIONS.map(([words, ms]) => html`<option value=${ms}>${words}</option>`)}
          </select>
        </label>
        ${problem && html`<p class="problem small" role="alert">Not done: ${problem}</p>`}
        <p class="choices">
          <button value="kick">Kick</button>
          <button value="mute">Mute</button>
          <button value="ban">Ban</button>
          <button type="button" class="quiet" onClick=${() => dialog.current?.close()}>Cancel</button>
        </p>
      </form>
    </dialog>
  `;
}
