// @ts-check
/**
 * Our own edits, deletions and reactions on their way: shown at once, on top of the log, and taken
 * back if the server refuses them. Pure functions.
 */

import { withChange } from './log.js';

/** @import { Change, Entry } from './log.js' */
/** @import { Room } from './room.js' */

/**
 * @typedef {{ type: 'edit', target: number, text: string }
 *   | { type: 'delete', target: number }
 *   | { type: 'reaction', target: number, emoji: string, on: boolean }} Wish
 *
 * @typedef {object} OwnChange
 * @property {string} key
 * @property {Wish} wish
 * @property {number} time
 * @property {string} epoch of the log that `target` counts in
 * @property {'pending' | 'sent' | 'failed'} state `sent`: stored, and not in the log yet
 * @property {number} offset where it is stored, 0 while that is not known
 * @property {string} problem why it failed
 *
 * @typedef {{ type: 'changeRequested', key: string, wish: Wish, time: number }
 *   | { type: 'changeSent', key: string, offset: number }
 *   | { type: 'changeFailed', key: string, problem: string }
 *   | { type: 'changeRetried', key: string }
 *   | { type: 'changeDiscarded', key: string }} OwnChangeEvent
 */

/** Further ones are not taken before some of these have gone. */
const MOST_CHANGES = 200;

/** @param {Room} room @param {OwnChangeEvent} event @returns {Room} */
export function reduceOwnChanges(room, event) {
  const { key } = event;
  switch (event.type) {
    case 'changeRequested': {
      if (room.changes.length >= MOST_CHANGES) return room;
      const { wish, time } = event;
      /** @type {OwnChange} */
      const change = { key, wish, time, epoch: room.epoch, state: 'pending', offset: 0, problem: '' };
      return { ...room, changes: [...room.changes, change] };
    }
    case 'changeSent':
      return mark(room, key, { state: 'sent', offset: event.offset });
    case 'changeFailed':
      return mark(room, key, { state: 'failed', problem: event.problem });
    case 'changeRetried':
      return mark(room, key, { state: 'pending', problem: '' });
    case 'changeDiscarded':
      return { ...room, changes: room.changes.filter((change) => change.key !== key) };
  }
}

/**
 * Goes when it is in the log; and when the room's log began anew, for then its target is another
 * message or none.
 *
 * @param {Room} room
 * @returns {Room}
 */
export function settle(room) {
  if (room.changes.length === 0) return room;
  const { synced, epoch, position } = room;
  const changes = room.changes.filter(
    (change) =>
      change.epoch === epoch && !(change.state === 'sent' && synced && change.offset <= position),
  );
  return changes.length === room.changes.length ? room : { ...room, changes };
}

/**
 * The log as it will be when everything of ours has arrived.
 *
 * @param {Pick<Room, 'log' | 'changes' | 'selves'>} room
 * @returns {readonly Entry[]}
 */
export function shownLog({ log, changes, selves }) {
  const user = selves.at(-1) ?? '';
  return changes
    .filter(({ state }) => state !== 'failed')
    .map(({ wish, time }) => /** @type {Change} */ ({ ...wish, user, time, offset: Infinity }))
    .reduce(withChange, log);
}

/** Our newest message that can still be edited, if the window reaches to the newest of all. @param {Room} room */
export function lastOwn(room) {
  if (!room.atEnd) return undefined;
  const self = room.selves.at(-1);
  const newestFirst = [...shownLog(room)].reverse();
  return newestFirst.find(({ user, kind }) => user === self && kind === 'message');
}

/** @param {Room} room @param {string} key @param {Partial<OwnChange>} fields @returns {Room} */
function mark(room, key, fields) {
  return {
    ...room,
    changes: room.changes.map((change) => (change.key === key ? { ...change, ...fields } : change)),
  };
}
