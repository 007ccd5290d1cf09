// @ts-check
/** When trying again helps, and how long to wait before. */

/**
 * What the SDK rejects with.
 *
 * @typedef {{ code: number, message: string, temporary?: boolean }} RequestError
 */

const FIRST_SERVER_CODE = 100;

/** @param {unknown} error @returns {RequestError} */
export function requestError(error) {
  if (error && typeof error === 'object' && 'code' in error && 'message' in error) {
    return /** @type {RequestError} */ (error);
  }
  throw error; // not an answer to a request but a bug of ours
}

/** Codes below 100 are the SDK's own: a timeout, a closed transport. @param {RequestError} error */
export function isTemporary({ code, temporary }) {
  return code < FIRST_SERVER_CODE || temporary === true;
}

/** Whether the server answered at all. @param {RequestError} error */
export function isAnswer({ code }) {
  return code >= FIRST_SERVER_CODE;
}

/** What a person needs of an error's message. @param {string} message */
export function reasonOf(message) {
  return message.replace(/^bad request: /, '');
}

/**
 * Doubling with jitter, so that many pages do not come back in step.
 *
 * @param {number} attempt from 1
 * @returns {number} milliseconds
 */
export function backoffMs(attempt) {
  const ceiling = Math.min(500 * 2 ** (attempt - 1), 10_000);
  return ceiling / 2 + Math.random() * (ceiling / 2);
}

/** @param {number} ms @returns {Promise<void>} */
export function wait(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
