// @ts-check
/** What a publication means here. Its data is whatever a program published: nothing is trusted. */

/** @import { Entry } from './log.js' */

/**
 * @typedef {{ user: string, client: string, connInfo?: any }} ClientInfo
 * @typedef {{ offset?: number, data: any, info?: ClientInfo }} Publication
 */

const LONGEST_FALLBACK = 2000;
const LATEST_DATE_MS = 8.64e15;

/** @param {ClientInfo | undefined} info */
export function nameOf(info) {
  const name = info?.connInfo?.name;
  if (typeof name === 'string' && name.trim()) return name;
  return info?.user || 'Someone';
}

/** @param {Publication} publication */
export function isTyping({ offset, data }) {
  return !offset && data?.type === 'typing';
}

/**
 * @param {Publication} publication one that has an offset
 * @returns {Entry}
 */
export function entryOf({ offset, data, info }) {
  const isMessage = data?.type === 'message' && typeof data.text === 'string';
  return {
    offset: offset ?? 0,
    user: info?.user ?? '',
    name: nameOf(info),
    key: isMessage && typeof data.key === 'string' ? data.key : '',
    time: isTime(data?.time) ? data.time : null,
    text: isMessage ? data.text : fallback(data),
    kind: isMessage ? 'message' : 'data',
    provisional: false,
  };
}

/** @param {unknown} value a date beyond this range throws when it is formatted */
function isTime(value) {
  return typeof value === 'number' && Math.abs(value) <= LATEST_DATE_MS;
}

/** @param {unknown} data */
function fallback(data) {
  const text = JSON.stringify(data) ?? '';
  return text.length > LONGEST_FALLBACK ? `${text.slice(0, LONGEST_FALLBACK)}…` : text;
}
