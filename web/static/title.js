// @ts-check
/** The document's title: the room, and how much was said in it while nobody looked. */

import { newSince } from './room.js';

/** @param {() => boolean} [isHidden] */
export function createTitle(isHidden = () => document.hidden) {
  let channel = /** @type {string | null} */ (null);
  let seen = 0;

  /** @param {import('./store.js').State} state */
  return (state) => {
    if (state.stage !== 'in') return 'Parley';
    if (state.channel === null) return 'No such room · Parley';
    const room = state.rooms.get(state.channel);
    if (!isHidden() || state.channel !== channel) {
      channel = state.channel;
      seen = room?.log.at(-1)?.offset ?? 0;
    }
    const unread = room ? newSince(room, seen).length : 0;
    return `${unread > 0 ? `(${unread}) ` : ''}${channel} · Parley`;
  };
}
