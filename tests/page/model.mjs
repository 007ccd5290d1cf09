// A room on a server, in a few lines: entries with offsets, and what its messages are.

/** Recoverable after a break: so many entries. Small, so that runs often miss more. */
const WINDOW = 6;

export class ModelRoom {
  epoch = 'e0';
  entries = [];
  #posts = new Map();

  get offset() {
    return this.entries.length;
  }

  /** The room begins anew, as if it had been forgotten. */
  begin() {
    this.epoch = `e${Number(this.epoch.slice(1)) + 1}`;
    this.entries = [];
    this.#posts = new Map();
  }

  /** Stores what somebody says. Returns the publication; null if it cannot be done. */
  store(info, data) {
    const offset = this.offset + 1;
    const time = offset * 1000;
    if (data?.type === 'edit' || data?.type === 'delete' || data?.type === 'reaction') {
      if (!this.#change(info.user, data, time)) return null;
    } else if (data?.type !== 'topic') {
      this.#posts.set(offset, { offset, info, data, time, reactions: [] });
    }
    const stamped = data && typeof data === 'object' ? { ...data, time } : data;
    if (this.#posts.has(offset)) this.#posts.get(offset).data = stamped;
    const publication = { offset, info, data: stamped };
    this.entries.push(publication);
    return publication;
  }

  #change(user, { type, target, text, emoji, on }, time) {
    const post = this.#posts.get(target);
    if (!post || post.deleted) return false;
    if (type === 'reaction') {
      const without = post.reactions.filter((one) => one.emoji !== emoji || one.user !== user);
      const isOn = without.length < post.reactions.length;
      if (on !== isOn) post.reactions = on ? [...post.reactions, { emoji, user }] : without;
      return true;
    }
    if (post.info.user !== user) return false;
    if (type === 'delete') Object.assign(post, { data: null, deleted: time, reactions: [] });
    else if (typeof post.data?.text !== 'string') return false;
    else Object.assign(post, { data: { ...post.data, text }, edited: time });
    return true;
  }

  /** As rpc `messages` answers, with what a client makes of the number of messages. */
  messages({ before = Infinity, after, limit = Infinity } = {}) {
    const all = [...this.#posts.values()].filter(
      ({ offset }) => offset < before && offset > (after ?? 0),
    );
    const posts = after === undefined ? all.slice(-Math.min(limit, all.length)) : all.slice(0, limit);
    if (all.length === 0) posts.length = 0;
    return {
      messages: structuredClone(posts).map(({ info, reactions, ...post }) => ({
        ...post,
        info: { user: info.user, client: info.client, conn_info: info.connInfo },
        reactions: usersByEmoji(reactions),
      })),
      offset: this.offset,
      epoch: this.epoch,
      complete: posts.length < limit && after === undefined,
      end: after === undefined ? before === Infinity : posts.length < limit,
    };
  }

  /** Who comes back with a position is told what it missed, if that is still known. */
  resume(position) {
    const missed = position && this.offset - position.offset;
    const recovered =
      position !== null && position.epoch === this.epoch && missed >= 0 && missed <= WINDOW;
    return {
      recovered,
      epoch: this.epoch,
      offset: recovered ? position.offset : this.offset,
      publications: recovered ? this.entries.slice(position.offset) : [],
    };
  }
}

function usersByEmoji(reactions) {
  const emojis = new Set(reactions.map(({ emoji }) => emoji));
  return Object.fromEntries(
    [...emojis].map((emoji) => [
      emoji,
      reactions.filter((one) => one.emoji === emoji).map(({ user }) => user),
    ]),
  );
}
