// @ts-check
/** What a message says. */

import { copyText } from './browser.js';
import { exactTime } from './dates.js';
import { isFewEmojis } from './emoji.js';
import { toSafeHtml } from './markup.js';
import { html, useLayoutEffect, useRef } from './vendor/preact.js';

/** @import { MessageRow } from './rows.js' */

const COPIED_LASTS_MS = 2000;

/** @typedef {Pick<MessageRow, 'kind' | 'text' | 'changed' | 'mentions'>} Said */

/** @param {Said & { selves: readonly string[] }} props */
export function Body({ kind, text, changed, mentions, selves }) {
  const when = changed === null ? '' : exactTime(changed);
  if (kind === 'deleted') return html`<p class="text deleted" title=${when}>Message deleted</p>`;
  const mark = when && html`${' '}<span class="edited" title=${when}>(edited)</span>`;
  if (kind === 'data') return html`<div class="text"><code>${text}</code>${mark}</div>`;
  return html`
    <div class=${`text${isFewEmojis(text) ? ' few-emojis' : ''}`} dir="auto">
      <${Markup} ...${{ text, mentions, selves }} />
      ${mark}
    </div>
  `;
}

/** @param {Pick<Said, 'text' | 'mentions'> & { selves: readonly string[] }} props */
function Markup({ text, mentions, selves }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const safe = toSafeHtml(text, mentions, selves);

  useLayoutEffect(() => {
    for (const block of box.current?.querySelectorAll('pre') ?? []) furnish(block);
  }, [safe]);

  return html`<div class="markup" ref=${box} dangerouslySetInnerHTML=${{ __html: safe }}></div>`;
}

/** A block of code can be copied, and scrolled by keyboard where it is wider. @param {HTMLElement} block */
function furnish(block) {
  const code = block.querySelector('code');
  if (!code || block.querySelector('button')) return;
  if (code.scrollWidth > code.clientWidth) {
    code.tabIndex = 0;
    code.setAttribute('role', 'region');
    code.setAttribute('aria-label', 'Code');
  }
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'copy-code small';
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    const isDone = await copyText(code.textContent?.replace(/\n$/, '') ?? '');
    button.textContent = isDone ? 'Copied' : 'Not copied';
    setTimeout(() => {
      button.textContent = 'Copy';
    }, COPIED_LASTS_MS);
  });
  block.append(button);
}
