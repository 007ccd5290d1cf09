// @ts-check
/**
 * Where one writes: Enter sends, Shift+Enter starts a new line. What is written stays with its room,
 * with the message that it answers or edits.
 */

import { isTouch } from './browser.js';
import { mentionsIn } from './completion.js';
import { cancelled, editing, EMPTY_DRAFT, mentioning, typed } from './drafts.js';
import { lastOwn } from './own-changes.js';
import { Picker } from './picker.js';
import { Quoted } from './quote.js';
import { LIST_ID, optionId, Suggestions } from './suggestions.js';
import { replace, wrap } from './text-field.js';
import { useCompletion } from './use-completion.js';
import { AttachButton, UploadList, useUploads } from './upload-list.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact.js';

const LONGEST_TEXT = 4000;
const COUNT_FROM = 3600;
const IME_KEY_CODE = 229;

/** @type {Readonly<Record<string, string>>} by key, with Ctrl or Cmd */
const MARKS = { b: '**', i: '_', e: '`', 'shift+x': '~~' };

/** @import { Draft } from './drafts.js' */

/**
 * @typedef {object} Props
 * @property {string} channel
 * @property {string} title of the room
 * @property {import('./room.js').Room} room
 * @property {Draft} draft
 * @property {import('./app.js').Actions} actions
 */

/** @param {Props} props */
export function Composer({ channel, title, room, draft, actions }) {
  const { text, reply, edit } = draft;
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const smile = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const [isPicking, setPicking] = useState(false);
  const isNew = useRef(true);
  const length = lengthOf(text);

  const completion = useCompletion({
    field: () => field.current,
    people: () => peopleOf(room),
    onMention: (person) => actions.draft((now) => mentioning(now, person)),
  });
  const uploads = useUploads(channel, actions);
  const [isAwaited, setAwaited] = useState(false);
  const isLetIn = room.refusal === ''; // else what is written stays here, as a draft
  const canSend = isLetIn && (edit === null ? canBeSent(text, uploads.count) : canBeSaved(text));

  useLayoutEffect(() => {
    const { current } = field;
    if (!current) return;
    // Not a property of the field: a drawing for another reason would put back an older text.
    if (current.value !== text) current.value = text;
    current.style.height = 'auto';
    current.style.height = `${current.scrollHeight + current.offsetHeight - current.clientHeight}px`;
  }, [text]);

  // With the text, not a frame later: what is done in between shall not have its selection taken away.
  useLayoutEffect(() => {
    if (!isNew.current || !isTouch()) field.current?.focus();
    isNew.current = false;
    const end = field.current?.value.length ?? 0;
    field.current?.setSelectionRange(end, end);
  }, [reply, edit]);

  const onInput = () => {
    const value = field.current?.value ?? '';
    actions.draft((now) => typed(now, value));
    completion.look(true);
    if (value.trim() && edit === null) actions.typing();
  };

  /**
   * The field shows it at once: what is typed before the next frame shall go on from there.
   *
   * @param {(draft: Draft) => Draft} next
   */
  const change = (next) => {
    const { text: shown } = actions.draft(next);
    if (field.current) field.current.value = shown;
  };
  const cancel = () => change(cancelled);

  /** @param {Event} event */
  const onSubmit = (event) => {
    event.preventDefault();
    if (!isLetIn) return;
    const now = actions.draft((same) => same); // there may be more in it than is drawn
    if (now.edit !== null) {
      if (!canBeSaved(now.text)) return;
      actions.change({ type: 'edit', target: now.edit, text: now.text.trim() });
      cancel();
    } else {
      if (!canBeSent(now.text, uploads.count)) return;
      if (!uploads.isReady) {
        setAwaited(uploads.isBusy); // what failed is for its sender to see to
        return;
      }
      setAwaited(false);
      const said = now.text.trim();
      const mentions = mentionsIn(said, now.mentions, peopleOf(room));
      actions.send({ text: said, reply: now.reply, mentions, files: uploads.uploader.take() });
      change(() => EMPTY_DRAFT);
    }
    completion.dismiss();
    field.current?.focus();
  };

  useEffect(() => {
    if (isAwaited && !uploads.isBusy && edit === null) onSubmit(new Event('submit'));
  }, [isAwaited, uploads.isBusy]);

  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    // A key for an input method is not ours; Safari tells it by the key code only.
    if (event.isComposing || event.keyCode === IME_KEY_CODE) return;
    if (completion.onKey(event)) return;
    const now = actions.draft((same) => same); // what is drawn may be older
    if (event.key === 'Enter' && !event.shiftKey) onSubmit(event);
    else if (event.key === 'Escape' && (now.reply !== null || now.edit !== null)) cancel();
    else if (event.key === 'ArrowUp' && !field.current?.value && now.edit === null) editLast(event);
    else format(event);
  };

  /** @param {KeyboardEvent} event */
  const editLast = (event) => {
    const last = lastOwn(room);
    if (!last) return;
    event.preventDefault();
    change((now) => editing(now, last));
  };

  /** @param {KeyboardEvent} event */
  const format = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const mark = MARKS[`${event.shiftKey ? 'shift+' : ''}${event.key.toLowerCase()}`];
    if (!mark || !field.current) return;
    event.preventDefault();
    wrap(field.current, mark);
  };

  /** @param {string} emoji */
  const insert = (emoji) => {
    const { current } = field;
    if (current) replace(current, current.selectionStart, current.selectionEnd, emoji);
  };

  const { options, current } = completion;
  const hasOptions = options.length > 0;
  return html`
    <form class=${`composer${uploads.mayUpload ? ' with-files' : ''}`} onSubmit=${onSubmit}>
      ${hasOptions && html`<${Suggestions} ...${{ options, current }} onPick=${completion.pick} />`}
      <p class="visually-hidden" role="status">
        ${hasOptions && `${options.length} ${options.length === 1 ? 'suggestion' : 'suggestions'}`}
      </p>
      ${
        edit !== null &&
        html`<${Banner} words="Editing a message" onCancel=${cancel} label="Cancel the edit" />`
      }
      ${
        edit === null &&
        reply !== null &&
        html`<${Banner} words="Answering" onCancel=${cancel} label="Cancel the reply">
          <${Quoted} ...${{ room, offset: reply, actions }} />
        <//>`
      }
      ${uploads.count > 0 && html`<${UploadList} ...${{ uploader: uploads.uploader, isAwaited }} />`}
      ${uploads.mayUpload && html`<${AttachButton} add=${uploads.add} />`}
      <label class="visually-hidden" for="message">Message</label>
      <div class="field">
        <textarea
          id="message"
          ref=${field}
          rows="1"
          placeholder="Write to ${title}"
          enterkeyhint="send"
          dir="auto"
          aria-describedby="message-length"
          aria-autocomplete="list"
          aria-controls=${hasOptions ? LIST_ID : undefined}
          aria-activedescendant=${hasOptions ? optionId(current) : undefined}
          onInput=${onInput}
          onKeyDown=${onKeyDown}
          onClick=${() => completion.look(false)}
          onBlur=${completion.dismiss}
          onPaste=${uploads.onPaste}
        ></textarea>
        <button
          type="button"
          class="icon"
          ref=${smile}
          aria-label="Insert an emoji"
          aria-haspopup="dialog"
          onClick=${() => setPicking(true)}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <circle cx="12" cy="12" r="9" />
            <path d="M8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5v.5M15 9.5v.5" />
          </svg>
        </button>
      </div>
      <button class="primary" disabled=${!canSend}>${edit === null ? 'Send' : 'Save'}</button>
      <p
        id="message-length"
        class=${`small ${length > LONGEST_TEXT ? 'problem' : 'muted'}`}
        aria-live="polite"
      >
        ${length > COUNT_FROM && `${length} of ${LONGEST_TEXT} characters`}
      </p>
      ${
        isPicking &&
        html`<${Picker}
          anchor=${() => smile.current}
          onPick=${insert}
          onClose=${() => setPicking(false)}
        />`
      }
    </form>
  `;
}

/** @param {string} text in characters, as the server counts */
function lengthOf(text) {
  return Array.from(text.trim()).length;
}

/** @param {string} text */
function canBeSaved(text) {
  const length = lengthOf(text);
  return length > 0 && length <= LONGEST_TEXT;
}

/** @param {string} text @param {number} files */
function canBeSent(text, files) {
  return canBeSaved(text) || (files > 0 && lengthOf(text) === 0);
}

/** @param {{ words: string, label: string, onCancel: () => void, children?: unknown }} props */
function Banner({ words, label, onCancel, children }) {
  return html`
    <div class="composing">
      <span class="muted small">${words}</span>
      ${children}
      <button type="button" class="icon" aria-label=${label} onClick=${onCancel}>
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6l12 12M18 6L6 18" /></svg>
      </button>
    </div>
  `;
}

/** Whom one can mention: whoever is here or has said something, but oneself. @param {import('./room.js').Room} room */
function peopleOf({ names, selves }) {
  return [...names]
    .filter(([user]) => !selves.includes(user))
    .map(([user, name]) => ({ user, name }))
    .sort((a, b) => a.name.localeCompare(b.name));
}
