// @ts-check
/** The completion of names and emojis in a text field: its state, and its keys. */

import { closedShortcode, emojiOptions, namingAt, personOptions } from './completion.js';
import { emojiNamed, loadEmoji } from './emoji.js';
import { remember } from './picker.js';
import { replace } from './text-field.js';
import { useState } from './vendor/preact.js';

/** @import { Naming, Option, Person } from './completion.js' */
/** @import { Group } from './emoji.js' */

/**
 * @typedef {object} Ports
 * @property {() => HTMLTextAreaElement | null} field
 * @property {() => readonly Person[]} people who can be mentioned
 * @property {(person: Person) => void} onMention
 */

/** @param {Ports} ports */
export function useCompletion({ field, people, onMention }) {
  const [naming, setNaming] = useState(/** @type {Naming | null} */ (null));
  const [groups, setGroups] = useState(/** @type {readonly Group[]} */ ([]));
  const [current, setCurrent] = useState(0);

  const options = naming ? optionsOf(naming) : [];

  /** @param {Naming} naming @returns {Option[]} */
  function optionsOf({ kind, query }) {
    return kind === 'emoji' ? emojiOptions(groups, query) : personOptions(people(), query);
  }

  /** Looks at what stands before the caret. @param {boolean} isTyping */
  const look = (isTyping) => {
    const at = field();
    if (!at || at.selectionStart !== at.selectionEnd) return setNaming(null);
    const { value, selectionStart: caret } = at;
    const next = namingAt(value, caret);
    if (next?.kind === 'emoji') loadEmoji().then(setGroups, () => {}); // (it is typed on as text)
    if (next && naming && next.start !== naming.start) setCurrent(0);
    // A click or an arrow only closes the list: it opens with what is typed.
    if (isTyping || !next || next.start !== naming?.start) setNaming(isTyping ? next : null);
    if (isTyping) {
      setCurrent(0);
      close(at, caret);
    }
  };

  /** Puts the emoji in the place of ":tada:". @param {HTMLTextAreaElement} at @param {number} caret */
  const close = (at, caret) => {
    const closed = closedShortcode(at.value, caret);
    const emoji = closed && emojiNamed(groups, closed.shortcode);
    if (!emoji) return;
    remember(emoji);
    replace(at, closed.start, closed.end, emoji);
  };

  /** @param {Option | undefined} option */
  const pick = (option) => {
    const at = field();
    if (!at || !naming || !option) return;
    setNaming(null);
    if (option.person) onMention(option.person);
    else remember(option.sign);
    replace(at, naming.start, naming.end, option.text);
    setNaming(null);
  };

  /** @param {KeyboardEvent} event @returns {boolean} whether it was for us */
  const onKey = (event) => {
    const { length } = options;
    if (length === 0) return false;
    if (event.key === 'ArrowDown') setCurrent((current + 1) % length);
    else if (event.key === 'ArrowUp') setCurrent((current + length - 1) % length);
    else if (event.key === 'Escape') setNaming(null);
    else if (event.key === 'Enter' || event.key === 'Tab') pick(options[current]);
    else return false;
    event.preventDefault();
    return true;
  };

  return { options, current, look, pick, onKey, dismiss: () => setNaming(null) };
}
