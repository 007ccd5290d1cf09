// @ts-check
/** The document's title: the room, and how much was said in it while nobody looked. */

/** @param {() => boolean} [isHidden] */
export function createTitle(isHidden = () => document.hidden) {
  let channel = /** @type {string | null} */ (null);
  let seen = 0;

  /** @param {import('./store.js').State} state */
  return (state) => {
    if (state.stage !== 'in') return 'Parley';
    if (state.channel === null) return 'No such room · Parley';
    const room = state.rooms.get(state.channel);
    const log = room?.log ?? [];
    if (!isHidden() || state.channel !== channel) {
      channel = state.channel;
      seen = log.at(-1)?.offset ?? 0;
    }
    const unread = log.filter(
      ({ offset, user }) => offset > seen && !room?.selves.includes(user),
    ).length;
    return `${unread > 0 ? `(${unread}) ` : ''}${channel} · Parley`;
  };
}
