// @ts-check
/** Times and days as the reader's locale writes them. */

const DAY_MS = 24 * 60 * 60 * 1000;

const short = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const thisYear = new Intl.DateTimeFormat(undefined, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
});
const anyYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });

/** @param {number} time */
export const shortTime = (time) => short.format(time);

/** @param {number} time */
export const exactTime = (time) => exact.format(time);

/** @param {number} time */
export const isoTime = (time) => new Date(time).toISOString();

/** @param {number} time @param {number} [now] */
export function dayName(time, now = Date.now()) {
  const day = new Date(time).toDateString();
  if (day === new Date(now).toDateString()) return 'Today';
  if (day === new Date(now - DAY_MS).toDateString()) return 'Yesterday';
  const isThisYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return (isThisYear ? thisYear : anyYear).format(time);
}
