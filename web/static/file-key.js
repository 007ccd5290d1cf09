// @ts-check
/** The keys with which a room's files are fetched and brought: asked for once, and again in time. */

import { isTemporary, requestError } from './retry.js';
import { useEffect, useState } from './vendor/preact.js';

/**
 * @typedef {object} FileKey
 * @property {string} key
 * @property {boolean} upload whether it lets us bring files
 * @property {number} maxBytes how large one may be
 * @property {number} until when to ask for another, in milliseconds since 1970
 */

const USED_FOR = 0.9; // of the time for which it is good
const AGAIN_MS = 5000;
const LONGEST_TIMER_MS = 60_000; // a machine that slept does not know how long

/**
 * @param {(channel: string) => Promise<any>} ask what rpc `files` answers
 * @param {() => number} [now]
 * @returns {(channel: string) => Promise<FileKey>}
 */
export function createFileKeys(ask, now = Date.now) {
  /** @type {Map<string, Promise<FileKey>>} */
  const asked = new Map();
  /** @type {Map<string, number>} */
  const until = new Map();

  /** @param {string} channel */
  async function fetchKey(channel) {
    const began = now();
    const { key, ttl, upload, max_bytes: maxBytes } = await ask(channel);
    const ends = began + ttl * 1000 * USED_FOR;
    until.set(channel, ends);
    return { key, upload, maxBytes, until: ends };
  }

  return (channel) => {
    const before = asked.get(channel);
    if (before && (until.get(channel) ?? Infinity) > now()) return before;
    until.delete(channel);
    const answer = fetchKey(channel);
    asked.set(channel, answer);
    answer.catch(() => asked.get(channel) === answer && asked.delete(channel));
    return answer;
  };
}

/**
 * The key of the room on screen; null until it is there, and where there are no files.
 *
 * @param {() => Promise<FileKey>} fileKey
 */
export function useFileKey(fileKey) {
  const [found, setFound] = useState(/** @type {FileKey | null} */ (null));
  useEffect(() => {
    let timer = 0;
    let isGone = false;
    const read = async () => {
      let again = AGAIN_MS;
      try {
        const next = await fileKey();
        again = Math.max(next.until - Date.now(), AGAIN_MS);
        if (!isGone) setFound(next);
      } catch (thrown) {
        if (!isTemporary(requestError(thrown))) return;
      }
      if (!isGone) timer = setTimeout(read, Math.min(again, LONGEST_TIMER_MS));
    };
    read();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, []);
  return found;
}
