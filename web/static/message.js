// @ts-check
/** One message. Its author and text come first and the time last, as they are best read aloud. */

import { Avatar } from './avatar.js';
import { exactTime, isoTime, shortTime } from './dates.js';
import { toSafeHtml } from './markup.js';
import { Reactions } from './reactions.js';
import { html, useMemo, useState } from './vendor/preact.js';

/** @import { Names } from './names.js' */
/** @import { MessageRow } from './rows.js' */

/**
 * @typedef {object} Props
 * @property {MessageRow} row
 * @property {boolean} isConnected
 * @property {Names} names
 * @property {readonly string[]} selves
 * @property {boolean} moderates whether we may delete it
 * @property {import('./app.js').Actions} actions
 */

/**
 * Preact skips a subtree that it is given again, so of a thousand messages only those that changed
 * are compared, and parsed, again.
 *
 * @param {Props} props
 */
export function Message({ row, isConnected, names, selves, moderates, actions }) {
  const delivery = row.state === 'pending' && !isConnected ? 'waiting' : row.state;
  const {
    offset,
    starts,
    mine,
    user,
    name,
    time,
    text,
    kind,
    changed,
    reactions,
    sendKey,
    problem,
  } = row;
  const canDelete = moderates && offset !== null && kind !== 'deleted';
  const hasReactions = Object.keys(reactions).length > 0;
  return useMemo(
    () => html`
      <li
        class=${`message${starts ? ' starts' : ''}${mine ? ' mine' : ''}`}
        data-offset=${offset ?? ''}
        data-state=${row.state}
      >
        ${starts && html`<${Avatar} user=${user} name=${name} />`}
        <p class=${starts ? 'author' : 'visually-hidden'}><bdi>${name}</bdi></p>
        <${Body} ...${{ kind, text, changed }} />
        ${hasReactions && html`<${Reactions} ...${{ reactions, names, selves }} />`}
        ${time !== null && html`<${Time} time=${time} />`}
        ${canDelete && html`<${Delete} ...${{ offset, name, actions }} />`}
        ${delivery === 'pending' && html`<p class="delivery muted small">Sending…</p>`}
        ${
          delivery === 'waiting' &&
          html`<p class="delivery muted small">Waiting for the connection</p>`
        }
        ${delivery === 'failed' && html`<${Failure} ...${{ sendKey, problem, actions }} />`}
      </li>
    `,
    [
      ...[offset, starts, mine, user, name, time, text, kind, changed, sendKey, problem, delivery],
      canDelete,
      ...(hasReactions ? [reactions, names, selves] : [null, null, null]),
    ],
  );
}

/** @param {{ offset: number, name: string, actions: import('./app.js').Actions }} props */
function Delete({ offset, name, actions }) {
  const [problem, setProblem] = useState('');
  const onClick = async () => setProblem(await actions.moderate('delete', { target: offset }));
  return html`<p class="delivery small">
    <button class="quiet" aria-label="Delete this message of ${name}" onClick=${onClick}>Delete</button>
    ${problem && html`<span class="problem" role="alert">Not deleted: ${problem}</span>`}
  </p>`;
}

/** @param {{ time: number }} props */
function Time({ time }) {
  return html`<time datetime=${isoTime(time)} title=${exactTime(time)}>${shortTime(time)}</time>`;
}

/** @param {Pick<MessageRow, 'kind' | 'text' | 'changed'>} props */
function Body({ kind, text, changed }) {
  const when = changed === null ? '' : exactTime(changed);
  if (kind === 'deleted') return html`<p class="text deleted" title=${when}>Message deleted</p>`;
  const mark = when && html`${' '}<span class="edited" title=${when}>(edited)</span>`;
  if (kind === 'data') return html`<div class="text"><code>${text}</code>${mark}</div>`;
  const safe = { __html: toSafeHtml(text) };
  return html`
    <div class="text" dir="auto">
      <div class="markup" dangerouslySetInnerHTML=${safe}></div>
      ${mark}
    </div>
  `;
}

/** @param {{ sendKey: string, problem: string, actions: import('./app.js').Actions }} props */
function Failure({ sendKey, problem, actions }) {
  return html`
    <p class="delivery problem small">
      Not sent${problem && `: ${problem}`}
      <button class="quiet" onClick=${() => actions.retry(sendKey)}>Retry</button>
      <button class="quiet" onClick=${() => actions.discard(sendKey)}>Discard</button>
    </p>
  `;
}
