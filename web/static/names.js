// @ts-check
/** Who is who: the names of users, as far as this page has come across them. */

const MOST_NAMED = 10;

const list = new Intl.ListFormat('en', { type: 'conjunction' });

/** @typedef {ReadonlyMap<string, string>} Names by user */

/** Whose name nobody has told us. */
export const STRANGER = 'Someone';

/**
 * Where the server does not know a name it tells the id, and that of a guest is none.
 *
 * @param {string} user
 * @param {string} name
 */
export function isName(user, name) {
  return name !== user || !user.startsWith('guest-');
}

/**
 * @param {Names} names
 * @param {Iterable<{ user: string, name: string }>} people those met last come last
 * @returns {Names} the same one if there is nothing new in it
 */
export function learn(names, people) {
  /** @type {Map<string, string> | undefined} */
  let more;
  for (const { user, name } of people) {
    if (!user || !isName(user, name) || (more ?? names).get(user) === name) continue;
    more ??= new Map(names);
    more.set(user, name);
  }
  return more ?? names;
}

/**
 * "You, Ada and 2 others".
 *
 * @param {readonly string[]} users
 * @param {Names} names
 * @param {readonly string[]} selves
 */
export function listOf(users, names, selves) {
  const known = users.filter((user) => !selves.includes(user) && names.has(user));
  const named = known.slice(0, MOST_NAMED).map((user) => names.get(user) ?? '');
  if (users.some((user) => selves.includes(user))) named.unshift('You');
  const others =
    users.filter((user) => !selves.includes(user)).length - Math.min(known.length, MOST_NAMED);
  if (others > 0) named.push(strangers(others, named.length > 0));
  return list.format(named);
}

/** @param {number} count @param {boolean} besides */
function strangers(count, besides) {
  if (besides) return count === 1 ? '1 other' : `${count} others`;
  return count === 1 ? '1 person' : `${count} people`;
}
