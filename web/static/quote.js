// @ts-check
/** What a message answers: who said it, and how it began. A click goes there. */

import { shownLog } from './own-changes.js';
import { quoteOf } from './quotes.js';
import { html, useEffect } from './vendor/preact.js';

/** @import { Quote as Quoting } from './quotes.js' */

const LONGEST_EXCERPT = 200;

/** @param {string} text */
export function excerptOf(text) {
  const words = text.replace(/\s+/g, ' ').trim();
  const cut = Array.from(words).slice(0, LONGEST_EXCERPT).join('');
  return cut.length < words.length ? `${cut}…` : words;
}

/** @param {{ offset: number, quote: Quoting, actions: import('./app.js').Actions }} props */
export function Quote({ offset, quote, actions }) {
  const isUnknown = quote === undefined;
  useEffect(() => {
    if (isUnknown) actions.wantQuote(offset);
  }, [offset, isUnknown]);

  if (!quote) {
    return html`<p class="quote muted">${isUnknown ? '…' : 'A message that is no longer kept'}</p>`;
  }
  const { name, kind, text } = quote;
  return html`
    <button type="button" class="quote" onClick=${() => actions.jump(offset)}>
      <span class="visually-hidden">Answers ${' '}</span>
      <bdi class="quote-author">${name}</bdi>
      ${
        kind === 'deleted'
          ? html`<span class="quote-text deleted">Message deleted</span>`
          : html`<bdi class="quote-text">${excerptOf(text)}</bdi>`
      }
    </button>
  `;
}

/** @param {{ room: import('./room.js').Room, offset: number, actions: import('./app.js').Actions }} props */
export function Quoted({ room, offset, actions }) {
  return html`<${Quote} ...${{ offset, quote: quoteOf(room, shownLog(room), offset), actions }} />`;
}
