// @ts-check
/** One message. Its author and text come first and the time last, as they are best read aloud. */

import { Attachments } from './attachments.js';
import { Avatar } from './avatar.js';
import { Body } from './body.js';
import { exactTime, isoTime, shortTime } from './dates.js';
import { Quote } from './quote.js';
import { Reactions } from './reactions.js';
import { Toolbar } from './toolbar.js';
import { html, useState } from './vendor/preact.js';

/** @import { Names } from './names.js' */
/** @import { OwnChange } from './own-changes.js' */
/** @import { MessageRow } from './rows.js' */

/**
 * @typedef {object} Props
 * @property {MessageRow} row
 * @property {string} channel
 * @property {boolean} isConnected
 * @property {Names} names
 * @property {readonly string[]} selves
 * @property {boolean} moderates whether we may delete it
 * @property {import('./app.js').Actions} actions
 */

const UNDONE = { edit: 'Not edited', delete: 'Not deleted', reaction: 'Reaction not kept' };

/**
 * Drawn again only when it has changed (`RowView`). The toolbar is made for the one under the mouse,
 * or with the focus, which a tap gives as well.
 *
 * @param {Props} props
 */
export function Message({ row, channel, isConnected, names, selves, moderates, actions }) {
  const [isUnder, setUnder] = useState(false);
  const [hasFocus, setFocus] = useState(false);
  const [open, setOpen] = useState(/** @type {'' | 'picker' | 'menu' | 'delete'} */ (''));
  const { offset, starts, mine, user, name, time, text, kind, files, changed, reactions } = row;
  const { mentions, calls, reply, quote, refused, sendKey, problem } = row;
  const delivery = row.state === 'pending' && !isConnected ? 'waiting' : row.state;
  const self = selves.at(-1) ?? '';
  const hasReactions = Object.keys(reactions).length > 0;
  const hasTools = offset !== null && kind !== 'deleted' && (isUnder || hasFocus || open !== '');
  const canEdit = user === self && kind === 'message';
  const canDelete = user === self || moderates;

  const classes = ['message', starts && 'starts', mine && 'mine', calls && 'calls'];
  return html`
    <li
      class=${classes.filter(Boolean).join(' ')}
      data-offset=${offset ?? ''}
      data-state=${row.state}
      onpointerenter=${(/** @type {PointerEvent} */ { pointerType }) => setUnder(pointerType === 'mouse')}
      onpointerleave=${() => setUnder(false)}
      onfocusin=${() => setFocus(true)}
      onfocusout=${(/** @type {FocusEvent} */ event) => setFocus(isWithin(event))}
    >
      ${starts && html`<${Avatar} user=${user} name=${name} />`}
      <p class=${starts ? 'author' : 'visually-hidden'}><bdi>${name}</bdi></p>
      ${reply !== null && html`<${Quote} ...${{ offset: reply, quote, actions }} />`}
      ${(text || files.length === 0) && html`<${Body} ...${{ kind, text, changed, mentions, selves }} />`}
      ${files.length > 0 && html`<${Attachments} ...${{ files, actions }} />`}
      ${
        hasReactions &&
        offset !== null &&
        html`<${Reactions}
          ...${{ reactions, names, selves }}
          onToggle=${(/** @type {string} */ emoji, /** @type {boolean} */ on) =>
            actions.change({ type: 'reaction', target: offset, emoji, on })}
        />`
      }
      ${time !== null && html`<${Time} time=${time} />`}
      ${delivery === 'pending' && html`<p class="delivery muted small">Sending…</p>`}
      ${
        delivery === 'waiting' &&
        html`<p class="delivery muted small">Waiting for the connection</p>`
      }
      ${delivery === 'failed' && html`<${Failure} ...${{ sendKey, problem, actions }} />`}
      ${refused && html`<${Refusal} ...${{ refused, actions }} />`}
      ${
        hasTools &&
        html`<${Toolbar}
          ...${{ row, channel, canEdit, canDelete, self, open, actions }}
          onOpen=${setOpen}
        />`
      }
    </li>
  `;
}

/** @param {{ time: number }} props */
function Time({ time }) {
  return html`<time datetime=${isoTime(time)} title=${exactTime(time)}>${shortTime(time)}</time>`;
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

/** @param {{ refused: OwnChange, actions: import('./app.js').Actions }} props */
function Refusal({ refused: { key, wish, problem }, actions }) {
  return html`
    <p class="delivery problem small" role="alert">
      ${UNDONE[wish.type]}${problem && `: ${problem}`}
      <button class="quiet" onClick=${() => actions.retryChange(key)}>Retry</button>
      <button class="quiet" onClick=${() => actions.discardChange(key)}>Discard</button>
    </p>
  `;
}

/** Whether the focus stays in what it was in. @param {FocusEvent} event */
function isWithin({ currentTarget, relatedTarget }) {
  return relatedTarget instanceof Node && /** @type {Node} */ (currentTarget).contains(relatedTarget);
}
