// @ts-check
/** One message. Its author and text come first and the time last, as they are best read aloud. */

import { Avatar } from './avatar.js';
import { exactTime, isoTime, shortTime } from './dates.js';
import { toSafeHtml } from './markup.js';
import { html, useMemo } from './vendor/preact.js';

/** @import { MessageRow } from './rows.js' */

/**
 * Preact skips a subtree that it is given again, so of a thousand messages only those that changed
 * are compared, and parsed, again.
 *
 * @param {{ row: MessageRow, isConnected: boolean, actions: import('./app.js').Actions }} props
 */
export function Message({ row, isConnected, actions }) {
  const delivery = row.state === 'pending' && !isConnected ? 'waiting' : row.state;
  const { offset, starts, mine, user, name, time, text, kind, sendKey, problem } = row;
  return useMemo(
    () => html`
      <li
        class=${`message${starts ? ' starts' : ''}${mine ? ' mine' : ''}`}
        data-offset=${offset ?? ''}
        data-state=${row.state}
      >
        ${starts && html`<${Avatar} user=${user} name=${name} />`}
        <p class=${starts ? 'author' : 'visually-hidden'}><bdi>${name}</bdi></p>
        <${Body} kind=${kind} text=${text} />
        ${time !== null && html`<${Time} time=${time} />`}
        ${delivery === 'pending' && html`<p class="delivery muted small">Sending…</p>`}
        ${
          delivery === 'waiting' &&
          html`<p class="delivery muted small">Waiting for the connection</p>`
        }
        ${delivery === 'failed' && html`<${Failure} ...${{ sendKey, problem, actions }} />`}
      </li>
    `,
    [offset, starts, mine, user, name, time, text, kind, sendKey, problem, delivery],
  );
}

/** @param {{ time: number }} props */
function Time({ time }) {
  return html`<time datetime=${isoTime(time)} title=${exactTime(time)}>${shortTime(time)}</time>`;
}

/** @param {{ kind: MessageRow['kind'], text: string }} props */
function Body({ kind, text }) {
  if (kind === 'data') return html`<div class="text"><code>${text}</code></div>`;
  const safe = { __html: toSafeHtml(text) };
  return html`<div class="text" dir="auto" dangerouslySetInnerHTML=${safe}></div>`;
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
