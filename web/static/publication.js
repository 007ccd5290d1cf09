// @ts-check
/** What the server's words mean here. Data is whatever a program published: nothing is trusted. */

import { bodyOf, DELETED } from './log.js';

/** @import { Change, Entry, Origin, Reactions } from './log.js' */

/**
 * @typedef {{ user: string, client: string, connInfo?: any }} ClientInfo
 * @typedef {{ offset?: number, data: any, info?: ClientInfo }} Publication
 * @typedef {Publication & { offset: number }} Stored a publication that is an entry of the log
 *
 * @typedef {object} CurrentMessage a message as rpc `messages` tells it
 * @property {number} offset
 * @property {any} data
 * @property {{ user: string, client: string, conn_info?: any }} [info]
 * @property {number} time
 * @property {number} [edited]
 * @property {number} [deleted]
 * @property {Reactions} [reactions]
 */

const LATEST_DATE_MS = 8.64e15;
const LONGEST_EMOJI = 64;

/** @param {ClientInfo | undefined} info */
export function nameOf(info) {
  const name = info?.connInfo?.name;
  if (typeof name === 'string' && name.trim()) return name;
  return info?.user || 'Someone';
}

/**
 * Who said it. What has no `info` is the server's own (its API published it), and may say in whose
 * name. Nobody else's word is taken for that.
 *
 * @param {{ data: any, info?: ClientInfo }} publication
 */
function sayerOf({ data, info }) {
  if (info) return nameOf(info);
  return typeof data?.name === 'string' && data.name.trim() ? data.name : 'Server';
}

/** @param {Publication} publication */
export function isTyping({ offset, data }) {
  return !offset && data?.type === 'typing';
}

/** What the room is about from then on. @param {Publication} publication @returns {string | null} */
export function topicIn({ data }) {
  return data?.type === 'topic' && typeof data.topic === 'string' ? data.topic : null;
}

/**
 * @param {Stored} publication
 * @returns {Change | null} null if it is a message
 */
export function changeOf({ offset, data, info }) {
  const { type, target, time, text, emoji, on } = data ?? {};
  if (!Number.isInteger(target) || target < 1 || target >= offset || !isTime(time)) return null;
  /** @type {Origin} */
  const origin = { offset, target, user: info?.user ?? '', time };
  if (type === 'edit' && typeof text === 'string') return { ...origin, type, text };
  if (type === 'delete') return { ...origin, type };
  if (type === 'reaction' && isEmoji(emoji) && typeof on === 'boolean') {
    return { ...origin, type, emoji, on };
  }
  return null;
}

/**
 * @param {Stored} publication
 * @returns {Entry}
 */
export function entryOf({ offset, data, info }) {
  const body = bodyOf(data);
  return {
    offset,
    user: info?.user ?? '',
    name: sayerOf({ data, info }),
    key: body.kind === 'message' && typeof data.key === 'string' ? data.key : '',
    time: isTime(data?.time) ? data.time : null,
    ...body,
    changed: null,
    reactions: {},
    asOf: offset,
  };
}

/**
 * @param {CurrentMessage} message
 * @param {number} asOf the position of the page it came in
 * @returns {Entry}
 */
export function currentEntry({ offset, data, info, time, edited, deleted, reactions }, asOf) {
  const from = info && { user: info.user, client: info.client, connInfo: info.conn_info };
  const entry = { ...entryOf({ offset, data, info: from }), asOf };
  return deleted
    ? { ...entry, ...DELETED, time, changed: deleted }
    : { ...entry, changed: edited ?? null, reactions: reactions ?? {} };
}

/** @param {unknown} value a date beyond this range throws when it is formatted */
function isTime(value) {
  return typeof value === 'number' && Math.abs(value) <= LATEST_DATE_MS;
}

/** @param {unknown} value */
function isEmoji(value) {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_EMOJI;
}
