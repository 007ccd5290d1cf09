// @ts-check
/** What moderators did, in words: pure. */

/**
 * @typedef {object} Ruling as rpc `bans` and `audit` tell it
 * @property {number} number
 * @property {string} action
 * @property {string} user
 * @property {string} by
 * @property {number} time
 * @property {number} [until]
 * @property {string} [reason]
 */

/** @type {Record<string, string>} */
const DONE = {
  kick: 'put out',
  ban: 'banned',
  unban: 'let in again',
  mute: 'muted',
  unmute: 'let speak again',
  delete: 'had a message deleted',
};

const when = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** What takes a ban or mute back. @param {string} action @returns {'unban' | 'unmute'} */
export function undoingOf(action) {
  return action === 'mute' ? 'unmute' : 'unban';
}

/** What became of somebody: "muted until …". @param {Ruling} ruling */
export function doneIn({ action, until }) {
  const what = Object.hasOwn(DONE, action) ? DONE[action] : action;
  const lasts = action === 'ban' || action === 'mute';
  if (!lasts) return what;
  return until ? `${what} until ${when.format(until)}` : `${what} for ever`;
}

/** The users of whom rulings tell. @param {readonly Ruling[]} rulings */
export function usersIn(rulings) {
  return [...new Set(rulings.flatMap(({ user, by }) => [user, by]))].filter(Boolean);
}
