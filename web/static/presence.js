// @ts-check
/** Who is in a room: a snapshot kept up to date by joins and leaves, or counts if it is large. */

import { nameOf } from './publication.js';

/** @import { ClientInfo } from './publication.js' */

/**
 * @typedef {{ client: string, user: string, name: string }} Member one connection
 * @typedef {{ user: string, name: string, connections: number }} Person
 * @typedef {object} Presence
 * @property {ReadonlyMap<string, Member> | null} members by connection; null: only counts are known
 * @property {number} clients
 * @property {number} users
 */

/** @type {Presence} */
export const NOBODY = { members: null, clients: 0, users: 0 };

/** @param {Iterable<ClientInfo>} infos @returns {Presence} */
export function snapshot(infos) {
  return of(new Map([...infos].map((info) => [info.client, memberOf(info)])));
}

/** @param {number} clients @param {number} users @returns {Presence} */
export function counts(clients, users) {
  return { members: null, clients, users };
}

/** @param {Presence} presence @param {ClientInfo} info @returns {Presence} */
export function joined(presence, info) {
  if (!presence.members) return presence;
  return of(new Map(presence.members).set(info.client, memberOf(info)));
}

/** @param {Presence} presence @param {ClientInfo} info @returns {Presence} */
export function left(presence, info) {
  if (!presence.members?.has(info.client)) return presence;
  const members = new Map(presence.members);
  members.delete(info.client);
  return of(members);
}

/**
 * One row per user, oneself first, the others by name.
 *
 * @param {ReadonlyMap<string, Member>} members
 * @param {string} self user
 * @returns {Person[]}
 */
export function people(members, self) {
  /** @type {Map<string, Person>} */
  const byUser = new Map();
  for (const { client, user, name } of members.values()) {
    const id = user || client;
    const person = byUser.get(id) ?? { user: id, name, connections: 0 };
    byUser.set(id, { ...person, connections: person.connections + 1 });
  }
  return [...byUser.values()].sort(
    (a, b) => Number(b.user === self) - Number(a.user === self) || a.name.localeCompare(b.name),
  );
}

/** @param {ClientInfo} info @returns {Member} */
function memberOf(info) {
  return { client: info.client, user: info.user, name: nameOf(info) };
}

/** @param {ReadonlyMap<string, Member>} members @returns {Presence} */
function of(members) {
  const users = new Set([...members.values()].map(({ client, user }) => user || client));
  return { members, clients: members.size, users: users.size };
}
