// @ts-check
/** The loaded part of a room's log: entries by offset, each once. Arrays are never changed. */

/**
 * @typedef {object} Entry
 * @property {number} offset
 * @property {string} user
 * @property {string} name
 * @property {string} key the send key, '' where there is none
 * @property {number | null} time milliseconds since 1970
 * @property {string} text
 * @property {'message' | 'data'} kind `data` is a publication of another program, shown as JSON
 * @property {boolean} provisional made from the reply to a send; its publication replaces it
 */

/**
 * Both arguments' entries by offset. A provisional entry gives way; otherwise what is already there
 * stays, so that an entry that came twice keeps its identity.
 *
 * @param {readonly Entry[]} log
 * @param {readonly Entry[]} more in any order
 * @returns {readonly Entry[]}
 */
export function merge(log, more) {
  const last = log.at(-1);
  const [only] = more;
  if (more.length === 1 && only && (!last || only.offset > last.offset)) return [...log, only];

  const byOffset = new Map(log.map((entry) => [entry.offset, entry]));
  for (const entry of more) {
    const known = byOffset.get(entry.offset);
    if (!known || (known.provisional && !entry.provisional)) byOffset.set(entry.offset, entry);
  }
  return [...byOffset.values()].sort((a, b) => a.offset - b.offset);
}

/**
 * The entries from `offset` on, and those before it that join up with it. What lies behind a gap is
 * dropped: it can be loaded again, while a hole in a conversation would go unnoticed.
 *
 * @param {readonly Entry[]} log
 * @param {number} offset
 * @returns {readonly Entry[]}
 */
export function joinedTo(log, offset) {
  let start = log.findIndex((entry) => entry.offset >= offset);
  if (start < 0) start = log.length;
  let lowest = offset;
  while (start > 0 && log[start - 1]?.offset === lowest - 1) {
    start -= 1;
    lowest -= 1;
  }
  return start === 0 ? log : log.slice(start);
}

/** @param {readonly Entry[]} log */
export function firstOffset(log) {
  return log[0]?.offset ?? Infinity;
}
