// @ts-check
/**
 * Asks as one types: after a pause, and never faster than the server answers for long. Searches,
 * and the rooms that fit a query, are held to one rate there, so they share one pace here.
 */

const PAUSE_MS = 250;
/** The server takes two a second. */
const EVERY_MS = 550;

/** @param {{ now?: () => number }} [clock] */
export function createPace({ now = Date.now } = {}) {
  let last = -Infinity;
  return {
    /** How long to wait, in milliseconds, for what was typed just now. */
    delay: () => Math.max(PAUSE_MS, last + EVERY_MS - now()),
    /** Something is asked. */
    asked() {
      last = now();
    },
  };
}

export const pace = createPace();
