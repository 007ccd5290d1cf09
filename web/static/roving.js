// @ts-check
/**
 * The messages are one stop of the Tab key, and the arrow keys go from one to the next: what can be
 * done with a message is then the next stop.
 */

import { messagesIn } from './scroll.js';

/** @type {WeakSet<Element>} messages that somebody went to */
const chosen = new WeakSet();

/** Makes one message the stop: the one that somebody went to, else the newest. @param {Element} box */
export function keepStop(box) {
  const messages = messagesIn(box);
  for (const message of box.querySelectorAll('.message:not([tabindex])')) {
    message.setAttribute('tabindex', '-1');
  }
  const stop = box.querySelector('.message[tabindex="0"]');
  const newest = messages.at(-1);
  if (stop === newest || (stop && chosen.has(stop))) return;
  stop?.setAttribute('tabindex', '-1');
  newest?.setAttribute('tabindex', '0');
}

/** @param {Element} box @param {HTMLElement} message */
export function focusOn(box, message) {
  for (const other of box.querySelectorAll('.message[tabindex="0"]')) {
    other.setAttribute('tabindex', '-1');
  }
  chosen.add(message);
  message.setAttribute('tabindex', '0');
  message.focus({ preventScroll: true });
}

/**
 * Goes to the next message, if it is an arrow key and a message has the focus (not what is in it).
 *
 * @param {Element} box
 * @param {KeyboardEvent} event
 */
export function onArrow(box, event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key] ?? 0;
  const { target } = event;
  if (step === 0 || !(target instanceof HTMLElement) || !target.matches('.message')) return;
  const messages = messagesIn(box);
  const next = messages[messages.indexOf(target) + step];
  event.preventDefault();
  if (!(next instanceof HTMLElement)) return;
  focusOn(box, next);
  next.scrollIntoView({ block: 'nearest' });
}
