// @ts-check
/** What a room is called on the page: a direct conversation by the names of the others. */

import { kindOf, nameIn, usersOf } from './channels.js';
import { STRANGER } from './names.js';

/** @import { State } from './store.js' */

/**
 * @param {string} channel
 * @param {string} self user
 * @param {(user: string) => string | undefined} nameOf
 */
export function titleWith(channel, self, nameOf) {
  const kind = kindOf(channel);
  if (kind === 'private') return nameIn(channel);
  if (kind !== 'direct') return channel;
  return othersIn(channel, self)
    .map((user) => nameOf(user) ?? STRANGER)
    .sort((a, b) => a.localeCompare(b))
    .join(', ');
}

/** @param {State} state @param {string} channel */
export function titleIn(state, channel) {
  return titleWith(channel, state.self?.user ?? '', (user) => state.people.get(user));
}

/** As `titleIn`, for where nothing beside it says what kind of room it is. @param {State} state @param {string} channel */
export function placeIn(state, channel) {
  const title = titleIn(state, channel);
  return kindOf(channel) === 'direct' ? title : `#${title}`;
}

/** With whom one talks there. @param {string} channel @param {string} self user */
export function othersIn(channel, self) {
  return kindOf(channel) === 'direct' ? usersOf(channel).filter((user) => user !== self) : [];
}

/** Users of direct conversations whose names are not known. @param {State} state */
export function strangersIn({ places, channel, people, self }) {
  const channels = [...places.keys(), ...(channel === null ? [] : [channel])];
  const users = channels.flatMap((each) => othersIn(each, self?.user ?? ''));
  return [...new Set(users)].filter((user) => !people.has(user));
}
