// @ts-check
/** The form that asks for a name. */

import { isTouch } from './browser.js';
import { LOGO } from './logo.js';
import { titleIn } from './titles.js';
import { html, useEffect, useRef } from './vendor/preact.js';

/**
 * @typedef {object} Props
 * @property {import('./store.js').State} state
 * @property {Pick<import('./app.js').Actions, 'join'>} actions
 */

/** @param {Props} props */
export function Join({ state, actions }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const isJoining = state.stage === 'joining';

  useEffect(() => {
    if (!isTouch() || state.refusal) field.current?.select();
  }, [state.refusal]);

  /** @param {SubmitEvent} event */
  const onSubmit = (event) => {
    event.preventDefault();
    if (!isJoining) actions.join(field.current?.value.trim() ?? '');
  };

  return html`
    <main class="join">
      <form class="join-card" onSubmit=${onSubmit}>
        <img class="join-logo" src=${LOGO} alt="" width="56" height="56" />
        <h1>Parley</h1>
        <p class="muted">
          ${state.channel !== null && html`You are about to enter <b><bdi>${titleIn(state, state.channel)}</bdi></b>.`}
        </p>
        <label for="name">Your name</label>
        <input
          id="name"
          ref=${field}
          defaultValue=${state.name}
          autocomplete="nickname"
          aria-describedby="name-hint"
          aria-invalid=${state.refusal ? 'true' : undefined}
        />
        <p id="name-hint" class="muted small">
          Others see it beside what you write. Leave it empty to get one.
        </p>
        ${state.refusal && html`<p class="problem" role="alert">${state.refusal}</p>`}
        <button class="primary">Join</button>
        <p class="muted small" role="status" data-state=${state.link}>
          ${isJoining && (state.trouble ? `${state.trouble}. Trying again…` : 'Connecting…')}
        </p>
      </form>
    </main>
  `;
}
