// @ts-check
/** What browsers grant or refuse, wrapped so that the page works either way. */

import { useEffect, useState } from './vendor/preact.js';

/**
 * One value in a storage, '' when there is none or when the browser blocks the storage. Other tabs
 * may change it at any time.
 *
 * @param {() => Storage} storage
 * @param {string} key
 */
export function stored(storage, key) {
  return {
    load() {
      try {
        return storage().getItem(key) ?? '';
      } catch {
        return '';
      }
    },
    /** @param {string} value */
    save(value) {
      try {
        storage().setItem(key, value);
      } catch {
        // Blocked storage costs the convenience only.
      }
    },
  };
}

const LATEST_FRAME_MS = 250;

/**
 * Runs `work` once for all calls since the last frame. A page in the background gets no frames, yet
 * its title has to count messages, so a timer stands by.
 *
 * @param {() => void} work
 */
export function createFrame(work) {
  let frame = 0;
  let timer = 0;
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    timer = 0;
    work();
  };
  return () => {
    if (timer) return;
    frame = requestAnimationFrame(run);
    timer = setTimeout(run, LATEST_FRAME_MS);
  };
}

/** @param {string} query */
export function useMedia(query) {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const update = () => setMatches(list.matches);
    update();
    list.addEventListener('change', update);
    return () => list.removeEventListener('change', update);
  }, [query]);
  return matches;
}

/** Whether a text is on the clipboard now. @param {string} text */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByHand(text); // refused, or a page of http://, where there is no such thing
  }
}

/** @param {string} text */
function copyByHand(text) {
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  // Within an open dialog: all else is inert.
  (before?.closest('dialog, [popover]') ?? document.body).append(field);
  field.select();
  const isDone = document.execCommand('copy');
  field.remove();
  before?.focus();
  return isDone;
}

/** A touch screen brings up its keyboard with the focus: there we leave the focus to the finger. */
export function isTouch() {
  return matchMedia('(pointer: coarse)').matches;
}
