// @ts-check
/** Who is banned or muted in a room, and what its moderators did. */

import { Dialog } from './dialog.js';
import { exactTime, isoTime } from './dates.js';
import { isName, STRANGER } from './names.js';
import { doneIn, undoingOf, usersIn } from './rulings.js';
import { titleIn } from './titles.js';
import { html, useEffect, useState } from './vendor/preact.js';

/** @import { Actions } from './app.js' */
/** @import { DialogProps } from './dialogs.js' */
/** @import { Ruling } from './rulings.js' */

const PAGE = 100;
/** Longer lists are for programs. */
const MOST_BANS = 1000;

/** @param {DialogProps & { channel: string }} props */
export function Record({ state, actions, channel, onClose }) {
  const { bans, problem, reload } = useBans(channel, actions);
  const [round, setRound] = useState(0);
  const nameOf = (/** @type {string} */ user) => state.people.get(user) ?? (isName(user, user) ? user : STRANGER);

  /** @param {Ruling} ruling @returns {Promise<string>} */
  const lift = async ({ action, user }) => {
    const wrong = (await actions.ask(undoingOf(action), { channel, user })).problem;
    if (!wrong) {
      reload();
      setRound(round + 1);
    }
    return wrong;
  };

  return html`
    <${Dialog} title=${`Moderation of ${titleIn(state, channel)}`} className="wide" onClose=${onClose}>
      <section aria-labelledby="in-force">
        <h3 id="in-force">Banned and muted</h3>
        ${problem && html`<p class="problem small" role="alert">${problem}</p>`}
        ${bans === null && !problem && html`<p class="muted">Loading…</p>`}
        ${bans?.length === 0 && html`<p class="muted">Nobody is.</p>`}
        <ul class="rulings" aria-label="Banned and muted">
          ${(bans ?? []).map(
            (ruling) => html`<${Sanction} key=${ruling.number} ...${{ ruling, nameOf }} onLift=${lift} />`,
          )}
        </ul>
      </section>
      <${Trail} key=${round} ...${{ channel, actions, nameOf }} />
    <//>
  `;
}

/** @typedef {(user: string) => string} NameOf */

/** @param {{ ruling: Ruling, nameOf: NameOf, onLift: (ruling: Ruling) => Promise<string> }} props */
function Sanction({ ruling, nameOf, onLift }) {
  const [problem, setProblem] = useState('');
  const name = nameOf(ruling.user);
  const words = undoingOf(ruling.action) === 'unmute' ? 'Unmute' : 'Unban';
  return html`
    <li class="ruling">
      <p>
        <b><bdi>${name}</bdi></b> is ${doneIn(ruling)}
        ${ruling.reason && html`: <bdi>${ruling.reason}</bdi>`}
        <span class="muted small"> by <bdi>${nameOf(ruling.by)}</bdi></span>
      </p>
      <button
        aria-label=${`${words} ${name}`}
        onClick=${async () => setProblem(await onLift(ruling))}
      >
        ${words}
      </button>
      ${problem && html`<p class="problem small" role="alert">Not done: ${problem}</p>`}
    </li>
  `;
}

/** @param {{ channel: string, actions: Actions, nameOf: NameOf }} props */
function Trail({ channel, actions, nameOf }) {
  const [rulings, setRulings] = useState(/** @type {Ruling[] | null} */ (null));
  const [problem, setProblem] = useState('');
  const [isMore, setMore] = useState(false);

  /** @param {Ruling[]} before */
  const load = async (before) => {
    const last = before.at(-1)?.number;
    const request = { channel, limit: PAGE, ...(last !== undefined && { before: last }) };
    const { data, problem: wrong } = await actions.ask('audit', request);
    setProblem(wrong);
    if (wrong) return;
    setRulings([...before, ...data.audit]);
    setMore(data.audit.length === PAGE);
    actions.learnNames(usersIn(data.audit));
  };
  useEffect(() => void load([]), []);

  return html`
    <section aria-labelledby="trail">
      <h3 id="trail">What moderators did</h3>
      ${problem && html`<p class="problem small" role="alert">${problem}</p>`}
      ${rulings === null && !problem && html`<p class="muted">Loading…</p>`}
      ${rulings?.length === 0 && html`<p class="muted">Nothing so far.</p>`}
      <ol class="rulings" aria-label="What moderators did">
        ${(rulings ?? []).map(
          (ruling) => html`<li key=${ruling.number} class="ruling">
            <p>
              <b><bdi>${nameOf(ruling.user)}</bdi></b> ${doneIn(ruling)}
              ${ruling.reason && html`: <bdi>${ruling.reason}</bdi>`}
              <span class="muted small">
                ${' '}by <bdi>${nameOf(ruling.by)}</bdi>,${' '}
                <time datetime=${isoTime(ruling.time)}>${exactTime(ruling.time)}</time>
              </span>
            </p>
          </li>`,
        )}
      </ol>
      ${isMore && html`<button onClick=${() => load(rulings ?? [])}>Show more</button>`}
    </section>
  `;
}

/**
 * The bans and mutes in force in a room: null until they are known.
 *
 * @param {string} channel
 * @param {Actions} actions
 */
export function useBans(channel, actions) {
  const [bans, setBans] = useState(/** @type {Ruling[] | null} */ (null));
  const [problem, setProblem] = useState('');
  const load = async () => {
    /** @type {Ruling[]} */
    const all = [];
    let page;
    do {
      const after = all.at(-1)?.number;
      const request = { channel, limit: PAGE, ...(after !== undefined && { after }) };
      const { data, problem: wrong } = await actions.ask('bans', request);
      setProblem(wrong);
      if (wrong) return;
      page = /** @type {Ruling[]} */ (data.bans);
      all.push(...page);
    } while (page.length === PAGE && all.length < MOST_BANS);
    setBans(all);
    actions.learnNames(usersIn(all));
  };
  useEffect(() => void load(), [channel]);
  return { bans, problem, reload: load };
}
