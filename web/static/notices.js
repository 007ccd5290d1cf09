// @ts-check
/** What the personal channel says. It is a hint: how things stand is asked by rpc `mine`. */

/**
 * @typedef {{ user: string, name: string }} From
 * @typedef {{ type: 'mention' | 'direct', channel: string, offset: number, text: string, from: From }} Call
 *   somebody named the user, or wrote to them
 * @typedef {Call
 *   | { type: 'read', channel: string, offset: number }
 *   | { type: 'invited', channel: string, from: From }
 *   | { type: 'notify', channel: string, on: boolean }
 *   | { type: 'left', channel: string }} Notice
 */

/** @param {string} user */
export function personalChannel(user) {
  return `user#${user}`;
}

/** @param {any} data @returns {Notice | null} null where this page does not know what it means */
export function noticeOf(data) {
  const { type, channel, offset, on, text, from } = data ?? {};
  if (typeof channel !== 'string') return null;
  if (type === 'left') return { type, channel };
  if (type === 'invited') return { type, channel, from: fromOf(from) };
  if (type === 'notify') return { type, channel, on: on === true };
  if (!Number.isInteger(offset) || offset < 1) return null;
  if (type === 'read') return { type, channel, offset };
  if (type !== 'mention' && type !== 'direct') return null;
  return { type, channel, offset, text: String(text ?? ''), from: fromOf(from) };
}

/** @param {any} from @returns {From} */
function fromOf(from) {
  const { user = '', name = '' } = from ?? {};
  return { user: String(user), name: String(name) };
}
