// @ts-check
/** What a moderator does about somebody: put out, mute, ban, and take that back. */

import { Dialog, FormEnd } from './dialog.js';
import { Field, textOf, useForm } from './room-forms.js';
import { doneIn, undoingOf } from './rulings.js';
import { useBans } from './record.js';
import { titleIn } from './titles.js';
import { html, useState } from './vendor/preact.js';

/** @import { DialogProps } from './dialogs.js' */
/** @import { Ruling } from './rulings.js' */

const HOUR_MS = 60 * 60 * 1000;
const DURATIONS = [
  ['An hour', HOUR_MS],
  ['A day', 24 * HOUR_MS],
  ['A week', 7 * 24 * HOUR_MS],
  ['For ever', 0],
];
const CHOICES = /** @type {const} */ ([
  ['kick', 'Kick', 'Out of the room, but free to come back'],
  ['mute', 'Mute', 'May read, and say nothing'],
  ['ban', 'Ban', 'Out of the room, and not let in again'],
]);

/** @param {DialogProps & { channel: string, user: string, name: string }} props */
export function Moderate({ state, actions, channel, user, name, onClose }) {
  const [method, setMethod] = useState('kick');
  const { bans, reload } = useBans(channel, actions);
  const standing = (bans ?? []).filter((ruling) => ruling.user === user);
  const form = useForm(onClose, async (fields) => {
    const lasts = Number(fields.get('lasts') ?? 0);
    const until = method !== 'kick' && lasts > 0 ? { until: Date.now() + lasts } : {};
    const reason = textOf(fields, 'reason');
    return (await actions.ask(method, { channel, user, reason, ...until })).problem;
  });
  const label = CHOICES.find(([value]) => value === method)?.[1] ?? '';

  return html`
    <${Dialog} title=${`Moderate ${name}`} onClose=${onClose}>
      ${standing.map(
        (ruling) => html`<${Standing} key=${ruling.number} ...${{ ruling, channel, actions }} onLifted=${reload} />`,
      )}
      <form class="stack" onSubmit=${form.onSubmit}>
        <fieldset class="options">
          <legend class="small muted">In ${titleIn(state, channel)}</legend>
          ${CHOICES.map(
            ([value, words, means]) => html`<label key=${value} class="option">
              <input
                type="radio"
                name="method"
                value=${value}
                checked=${value === method}
                onChange=${() => setMethod(value)}
              />
              <span><b>${words}</b> <span class="muted small">${means}</span></span>
            </label>`,
          )}
        </fieldset>
        ${
          method !== 'kick' &&
          html`<div class="field">
            <label for="lasts">For how long</label>
            <select id="lasts" name="lasts">
              ${DURATIONS.map(([words, ms]) => html`<option key=${ms} value=${ms}>${words}</option>`)}
            </select>
          </div>`
        }
        <${Field} label="Why" name="reason" most=${200} hint=${`${name} gets to see it.`} isRequired />
        <${FormEnd} what=${label} isDanger ...${form} onCancel=${onClose} />
      </form>
    <//>
  `;
}

/**
 * A mute or ban in force, and the button that lifts it.
 *
 * @param {object} props
 * @param {Ruling} props.ruling
 * @param {string} props.channel
 * @param {import('./app.js').Actions} props.actions
 * @param {() => void} props.onLifted
 */
function Standing({ ruling, channel, actions, onLifted }) {
  const [problem, setProblem] = useState('');
  const undo = undoingOf(ruling.action);
  const onClick = async () => {
    const wrong = (await actions.ask(undo, { channel, user: ruling.user })).problem;
    setProblem(wrong);
    if (!wrong) onLifted();
  };
  return html`
    <div class="standing">
      <p>
        Is ${doneIn(ruling)}
        ${ruling.reason && html`: <bdi>${ruling.reason}</bdi>`}
      </p>
      <button onClick=${onClick}>${undo === 'unmute' ? 'Unmute' : 'Lift the ban'}</button>
      ${problem && html`<p class="problem small" role="alert">Not done: ${problem}</p>`}
    </div>
  `;
}
