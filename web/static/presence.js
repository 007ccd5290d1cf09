// @ts-check
/**
 * Who is in a room: a snapshot kept up to date by joins, leaves and what people do elsewhere, or
 * counts if it is large. Whoever belongs to a private room is listed there also while they are away.
 */

import { isName, STRANGER } from './names.js';
import { nameOf } from './publication.js';

/** @import { ClientInfo, Publication } from './publication.js' */
/** @import { Names } from './names.js' */

/**
 * @typedef {'online' | 'away' | 'offline'} Presentness
 * @typedef {{ client: string, user: string, name: string }} Member one connection
 * @typedef {{ user: string, name: string, connections: number, state: Presentness }} Person
 * @typedef {object} Presence
 * @property {ReadonlyMap<string, Member> | null} members by connection; null: only counts are known
 * @property {number} clients
 * @property {number} users
 * @property {ReadonlySet<string>} away users who look elsewhere, with all of their connections
 * @property {Names} belonging those of a private room or direct conversation, there or not
 */

/** @type {Presence} */
export const NOBODY = {
  members: null,
  clients: 0,
  users: 0,
  away: new Set(),
  belonging: new Map(),
};

/** @param {Presence} presence @param {Iterable<ClientInfo>} infos @returns {Presence} */
export function snapshot(presence, infos) {
  return of(presence, new Map([...infos].map((info) => [info.client, memberOf(info)])));
}

/** @param {Presence} presence @param {number} clients @param {number} users @returns {Presence} */
export function counts(presence, clients, users) {
  return { ...presence, members: null, clients, users };
}

/** @param {Presence} presence @param {ClientInfo} info @returns {Presence} */
export function joined(presence, info) {
  if (!presence.members) return presence;
  const member = memberOf(info);
  const next = of(presence, new Map(presence.members).set(info.client, member));
  if (presence.belonging.size > 0) {
    next.belonging = new Map(presence.belonging).set(member.user, member.name);
  }
  return awayOrNot(next, info.user, false); // who comes in looks here
}

/** @param {Presence} presence @param {ClientInfo} info @returns {Presence} */
export function left(presence, info) {
  if (!presence.members?.has(info.client)) return presence;
  const members = new Map(presence.members);
  members.delete(info.client);
  const next = of(presence, members);
  const isGone = ![...members.values()].some(({ user }) => user === info.user);
  return isGone ? awayOrNot(next, info.user, false) : next;
}

/** @param {Publication} publication */
export function isPresence({ offset, data }) {
  return !offset && data?.type === 'presence';
}

/** Somebody looks elsewhere, or is back. @param {Presence} presence @param {Publication} publication */
export function moved(presence, { data, info }) {
  return info ? awayOrNot(presence, info.user, data.state === 'away') : presence;
}

/**
 * What rpc `members` says: how those who are here are, and who else belongs here.
 *
 * @param {Presence} presence
 * @param {readonly { user: string, name: string, state: Presentness }[]} told
 * @param {boolean} isClosed whether the room is for some only: these stay when they go
 * @returns {Presence}
 */
export function membersTold(presence, told, isClosed) {
  return {
    ...presence,
    away: new Set(told.filter(({ state }) => state === 'away').map(({ user }) => user)),
    belonging: new Map(isClosed ? told.map(({ user, name }) => [user, name]) : []),
  };
}

/**
 * One row per user: oneself first, then who is there, then the others, by name.
 *
 * @param {Presence} presence
 * @param {string} self user
 * @returns {Person[]}
 */
export function people({ members, away, belonging }, self) {
  /** @type {Map<string, Person>} */
  const byUser = new Map();
  for (const [user, name] of belonging) {
    const shown = isName(user, name) ? name : STRANGER;
    byUser.set(user, { user, name: shown, connections: 0, state: 'offline' });
  }
  for (const { client, user, name } of members?.values() ?? []) {
    const id = user || client;
    const connections = (byUser.get(id)?.connections ?? 0) + 1;
    byUser.set(id, { user: id, name, connections, state: away.has(id) ? 'away' : 'online' });
  }
  const order = { online: 0, away: 1, offline: 2 };
  return [...byUser.values()].sort(
    (a, b) =>
      Number(b.user === self) - Number(a.user === self) ||
      order[a.state] - order[b.state] ||
      a.name.localeCompare(b.name),
  );
}

/** @param {Presence} presence @param {string} user @param {boolean} isAway @returns {Presence} */
function awayOrNot(presence, user, isAway) {
  if (presence.away.has(user) === isAway) return presence;
  const away = new Set(presence.away);
  if (isAway) away.add(user);
  else away.delete(user);
  return { ...presence, away };
}

/** @param {ClientInfo} info @returns {Member} */
function memberOf(info) {
  return { client: info.client, user: info.user, name: nameOf(info) };
}

/** @param {Presence} presence @param {ReadonlyMap<string, Member>} members @returns {Presence} */
function of(presence, members) {
  const users = new Set([...members.values()].map(({ client, user }) => user || client));
  return { ...presence, members, clients: members.size, users: users.size };
}
