// @ts-check
/**
 * Has what waits in a room done, one after the other so that the order is kept: messages sent,
 * changes made, quotes read. The queue is the room's state (`unsent`, say), so a message that the
 * log turns out to have is no longer next. A send whose outcome is unknown is repeated with the
 * same key: the server answers the repeat with the first one's offset.
 */

import { backoffMs, isAnswer, isTemporary, requestError, wait } from './retry.js';

/**
 * @template {{ key: string }} Waiting
 * @template Reply
 * @typedef {object} Ports
 * @property {() => Waiting | undefined} next
 * @property {() => boolean} isOpen whether the room can take it now
 * @property {(waiting: Waiting) => Promise<Reply>} send
 * @property {(key: string, reply: Reply) => void} onSent
 * @property {(key: string, problem: string) => void} onFailed
 * @property {(ms: number) => Promise<void>} [pause]
 */

/** Answers "try later" that a message takes before it is handed back to its author. */
const MOST_REFUSALS = 6;

/**
 * @template {{ key: string }} Waiting
 * @template Reply
 * @param {Ports<Waiting, Reply>} ports
 */
export function createOutbox({ next, isOpen, send, onSent, onFailed, pause = wait }) {
  let running = false;

  async function run() {
    let key = '';
    let attempts = 0;
    let refusals = 0;
    running = true;
    try {
      for (let message = next(); message && isOpen(); message = next()) {
        if (message.key !== key) {
          key = message.key;
          attempts = 0;
          refusals = 0;
        }
        try {
          onSent(key, await send(message));
        } catch (thrown) {
          const error = requestError(thrown);
          attempts += 1;
          if (isAnswer(error)) refusals += 1;
          if (!isTemporary(error) || refusals >= MOST_REFUSALS) onFailed(key, error.message);
          else await pause(backoffMs(attempts));
        }
      }
    } finally {
      running = false; // in the same turn: a flush that comes next begins another run
    }
  }

  return {
    /** Call when a message was added, and when the room opens: closing ends the run. */
    async flush() {
      if (!running) await run();
    },
  };
}
