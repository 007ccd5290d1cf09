// @ts-check
/** The state of a search and what each event makes of it: pure functions. */

import { nameOf } from './publication.js';

/**
 * @typedef {object} Filters
 * @property {string} query
 * @property {boolean} everywhere in all rooms, rather than in this one
 * @property {string} user whose messages; '' for everybody's
 * @property {string} since a day, as a date field has it; '' for none
 * @property {string} until the last day
 *
 * @typedef {object} Result
 * @property {string} channel
 * @property {number} offset
 * @property {string} user
 * @property {string} name
 * @property {string} text without blank lines
 * @property {number} time
 *
 * @typedef {object} Search
 * @property {Filters} filters
 * @property {'idle' | 'loading' | 'done' | 'failed'} status
 * @property {string} problem
 * @property {readonly Result[]} results
 * @property {string} query what the results are of
 * @property {number | null} before the cursor of the next page; null if there is none
 * @property {boolean} isAdding whether the next page is on its way
 * @property {number} round answers of earlier searches come too late
 *
 * @typedef {{ type: 'changed', filters: Partial<Filters> }
 *   | { type: 'asked', round: number }
 *   | { type: 'moreAsked' }
 *   | { type: 'answered', round: number, query: string, data: any }
 *   | { type: 'moreAnswered', round: number, data: any }
 *   | { type: 'failed', round: number, problem: string }} SearchEvent
 */

export const LONGEST_QUERY = 200;

/** @type {Search} */
export const NO_SEARCH = {
  filters: { query: '', everywhere: false, user: '', since: '', until: '' },
  status: 'idle',
  problem: '',
  results: [],
  query: '',
  before: null,
  isAdding: false,
  round: 0,
};

/** @param {Search} search @param {SearchEvent} event @returns {Search} */
export function reduceSearch(search, event) {
  switch (event.type) {
    case 'changed':
      return { ...search, filters: { ...search.filters, ...event.filters } };
    case 'asked':
      return { ...search, status: 'loading', problem: '', isAdding: false, round: event.round };
    case 'moreAsked':
      return { ...search, isAdding: true, problem: '' };
    case 'answered':
      if (event.round !== search.round) return search;
      return {
        ...search,
        status: 'done',
        query: event.query,
        results: resultsOf(event.data),
        before: cursorOf(event.data),
      };
    case 'moreAnswered':
      if (event.round !== search.round || !search.isAdding) return search;
      return {
        ...search,
        results: [...search.results, ...resultsOf(event.data)],
        before: cursorOf(event.data),
        isAdding: false,
      };
    case 'failed':
      if (event.round !== search.round) return search;
      if (search.isAdding) return { ...search, isAdding: false, problem: event.problem };
      return { ...search, status: 'failed', problem: event.problem };
  }
}

/**
 * What to ask the server.
 *
 * @param {Filters} filters
 * @param {string | null} channel the room on screen
 * @returns {object | null} null where nothing is looked for
 */
export function requestOf({ query, everywhere, user, since, until }, channel) {
  const words = query.trim();
  const from = startOf(since);
  const end = startOf(until, 1); // (a day may have 23 hours)
  const filters = {
    ...(user && { user }),
    ...(from !== null && { since: from }),
    ...(end !== null && { until: Math.max(0, end - 1) }),
  };
  if (words === '' && Object.keys(filters).length === 0) return null;
  return { query: words, ...filters, ...(!everywhere && channel !== null && { channel }) };
}

/**
 * Results under headings: what stands together is of one room.
 *
 * @param {readonly Result[]} results
 * @returns {{ channel: string, results: Result[] }[]}
 */
export function grouped(results) {
  /** @type {{ channel: string, results: Result[] }[]} */
  const groups = [];
  for (const result of results) {
    const last = groups.at(-1);
    if (last?.channel === result.channel) last.results.push(result);
    else groups.push({ channel: result.channel, results: [result] });
  }
  return groups;
}

/** The first moment of a day, or of one after it, in the reader's time zone. @param {string} day @param {number} [after] */
function startOf(day, after = 0) {
  const [, year, month, date] = /^(\d{4,6})-(\d{2})-(\d{2})$/.exec(day) ?? [];
  if (year === undefined) return null;
  const time = new Date(Number(year), Number(month) - 1, Number(date) + after).getTime();
  return Number.isFinite(time) ? Math.max(0, time) : null;
}

/** @param {any} data @returns {Result[]} */
function resultsOf(data) {
  const results = Array.isArray(data?.results) ? data.results : [];
  return results.flatMap((/** @type {any} */ { channel, offset, data: said, info, time }) => {
    if (typeof channel !== 'string' || typeof said?.text !== 'string') return [];
    const from = info && { user: info.user, client: info.client, connInfo: info.conn_info };
    const name = from ? nameOf(from) : 'Server';
    const text = said.text.replace(/\n\s*\n/g, '\n');
    return [{ channel, offset, user: from?.user ?? '', name, text, time }];
  });
}

/** @param {any} data @returns {number | null} */
function cursorOf(data) {
  return Number.isSafeInteger(data?.before) ? data.before : null;
}
