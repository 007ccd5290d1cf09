// @ts-check
/** The keys under which messages are sent. */

const TIME_DIGITS = 12;
const RANDOM_BYTES = 10;

/**
 * A key that no other message has: the time in milliseconds (48 bits), then random bits, in hex.
 * The time comes first, as in a UUIDv7, for the server's sake: it finds a repeated send in an index
 * of keys, and that is cheapest to keep if a new key belongs at its end.
 *
 * @param {number} [now]
 */
export function createKey(now = Date.now()) {
  // Not crypto.randomUUID(): in http:// pages, localhost apart, browsers do not offer it.
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  return hex(now, TIME_DIGITS) + Array.from(random, (byte) => hex(byte, 2)).join('');
}

/** @param {number} value @param {number} digits */
function hex(value, digits) {
  return value.toString(16).padStart(digits, '0');
}
