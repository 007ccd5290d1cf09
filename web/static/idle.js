// @ts-check
/** Whether somebody is at the page: away after five minutes without a sign of them, back at the first one. */

export const AWAY_AFTER_MS = 5 * 60 * 1000;
const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus'];

/**
 * @param {(isAway: boolean) => void} onChange
 * @param {{ now?: () => number, later?: (work: () => void, ms: number) => unknown }} [clock]
 */
export function createIdle(onChange, { now = Date.now, later = setTimeout } = {}) {
  let isAway = false;
  let last = now();
  let isWaiting = false;

  /** One timer for all signs: when it is due it looks how long ago the last one was. */
  function wait() {
    if (isWaiting) return;
    isWaiting = true;
    later(check, Math.max(0, last + AWAY_AFTER_MS - now()));
  }

  function check() {
    isWaiting = false;
    if (now() - last < AWAY_AFTER_MS) {
      wait();
      return;
    }
    isAway = true;
    onChange(true);
  }

  wait();
  return {
    get isAway() {
      return isAway;
    },
    /** Somebody is there: they did something, or came back to the tab. */
    sign() {
      last = now();
      if (isAway) {
        isAway = false;
        onChange(false);
      }
      wait();
    },
  };
}

/**
 * What counts as a sign: any input, and that the tab is seen again. In a hidden tab there is none.
 *
 * @param {() => void} sign
 */
export function watchSigns(sign) {
  for (const type of SIGNS) {
    addEventListener(type, () => document.hidden || sign(), { passive: true, capture: true });
  }
  document.addEventListener('visibilitychange', () => document.hidden || sign());
}
