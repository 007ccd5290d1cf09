// @ts-check
/** Where one writes: Enter sends, Shift+Enter starts a new line. A draft stays with its room. */

import { isTouch } from './browser.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact.js';

const LONGEST_TEXT = 4000;
const COUNT_FROM = 3600;
const IME_KEY_CODE = 229;

/** @type {Map<string, string>} by channel */
const drafts = new Map();

/** @param {{ channel: string, title: string, actions: import('./app.js').Actions }} props */
export function Composer({ channel, title, actions }) {
  const [text, setText] = useState(drafts.get(channel) ?? '');
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const length = Array.from(text.trim()).length;
  const canSend = length > 0 && length <= LONGEST_TEXT;

  useEffect(() => {
    if (!isTouch()) field.current?.focus();
  }, []);

  useLayoutEffect(() => {
    const { current } = field;
    if (!current) return;
    current.style.height = 'auto';
    current.style.height = `${current.scrollHeight}px`;
  }, [text]);

  /** @param {string} value */
  const change = (value) => {
    drafts.set(channel, value);
    setText(value);
  };

  /** @param {InputEvent} event */
  const onInput = (event) => {
    const { value } = /** @type {HTMLTextAreaElement} */ (event.currentTarget);
    change(value);
    if (value.trim()) actions.typing();
  };

  /** @param {Event} event */
  const onSubmit = (event) => {
    event.preventDefault();
    if (!canSend) return;
    actions.send(text.trim());
    change('');
    field.current?.focus();
  };

  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    // Enter that picks a word in an input method is not ours; Safari tells it by the key code only.
    const isComposing = event.isComposing || event.keyCode === IME_KEY_CODE;
    if (event.key === 'Enter' && !event.shiftKey && !isComposing) onSubmit(event);
  };

  return html`
    <form class="composer" onSubmit=${onSubmit}>
      <label class="visually-hidden" for="message">Message</label>
      <textarea
        id="message"
        ref=${field}
        rows="1"
        placeholder="Write to ${title}"
        enterkeyhint="send"
        dir="auto"
        aria-describedby="message-length"
        value=${text}
        onInput=${onInput}
        onKeyDown=${onKeyDown}
      ></textarea>
      <button class="primary" disabled=${!canSend}>Send</button>
      <p
        id="message-length"
        class=${`small ${length > LONGEST_TEXT ? 'problem' : 'muted'}`}
        aria-live="polite"
      >
        ${length > COUNT_FROM && `${length} of ${LONGEST_TEXT} characters`}
      </p>
    </form>
  `;
}
