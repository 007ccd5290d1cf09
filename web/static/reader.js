// @ts-check
/** Tells the server how far one has read: after a pause, the newest only, and never backwards. */

/** Scrolling through a room is one request a second, not one a message. */
const PAUSE_MS = 700;

/**
 * @param {(channel: string, offset: number) => Promise<unknown>} send
 * @param {{ later?: (work: () => void, ms: number) => unknown }} [clock]
 */
export function createReader(send, { later = setTimeout } = {}) {
  /** @type {Map<string, number>} by channel, what was told */
  const told = new Map();
  /** @type {Map<string, number>} by channel, what is to be told */
  const waiting = new Map();
  let isWaiting = false;

  async function tell() {
    isWaiting = false;
    const due = [...waiting];
    waiting.clear();
    await Promise.all(due.map(([channel, offset]) => tellOne(channel, offset)));
  }

  /** @param {string} channel @param {number} offset */
  async function tellOne(channel, offset) {
    told.set(channel, offset);
    try {
      await send(channel, offset);
    } catch {
      if (told.get(channel) === offset) told.delete(channel); // the next one that is seen tells it
    }
  }

  return {
    /** What waits is told now: there is no later. */
    flush: tell,
    /** One has left the room: nothing of it is told, and who comes back tells it anew. @param {string} channel */
    forget(channel) {
      told.delete(channel);
      waiting.delete(channel);
    },
    /** @param {string} channel @param {number} offset */
    seen(channel, offset) {
      const most = Math.max(told.get(channel) ?? 0, waiting.get(channel) ?? 0);
      if (offset <= most) return;
      waiting.set(channel, offset);
      if (isWaiting) return;
      isWaiting = true;
      later(tell, PAUSE_MS);
    },
  };
}
