// @ts-check
/**
 * The one connection of the page. The SDK reconnects and resumes by itself; this file names us,
 * opens rooms, and turns what happens into events.
 */

import { kindOf } from './channels.js';
import { createFileKeys } from './file-key.js';
import { END, LiveRoom } from './live-room.js';
import { noticeOf, personalChannel } from './notices.js';
import { newIn } from './places.js';
import { createReader } from './reader.js';
import { backoffMs, reasonOf, requestError, wait } from './retry.js';
import { onRetryScheduled } from './retry-delay.js';
import { strangersIn } from './titles.js';
import './vendor/centrifuge.js';

/** @import { Notice } from './notices.js' */
/** @import { Store } from './store.js' */

const ROOMS_EVERY_MS = 15_000;
/** Followed at once; the server takes 128 subscriptions a connection. */
const MOST_LIVE = 100;
/** Rooms that are not followed are asked for so often. */
const MINE_EVERY_MS = 30_000;
/** What makes us ask for it comes in groups. */
const MINE_AFTER_MS = 1000;
/** The server tells so many at once. */
const MOST_NAMES = 100;
const TOO_MANY_REQUESTS = 111;
const MOST_ATTEMPTS = 4;

/** @type {ReadonlyMap<number, string>} what a code means to a person */
const WORDS = new Map([
  [1, 'You are not logged in'],
  [3500, 'Your login does not hold any more: load the page again'],
  [3503, 'The server has ended this connection'],
  [3504, 'You have too many connections: close another tab'],
  [4500, 'You are banned'],
]);

/** @param {string} url @returns {Promise<string>} */
async function fetchToken(url) {
  const answer = await fetch(url, { credentials: 'include' });
  if (answer.status === 401 || answer.status === 403) {
    return /** @type {any} */ (null); // for the SDK: nobody, do not connect
  }
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`); // the SDK tries again
  return (await answer.json()).token;
}

/** @param {Location} location */
export function endpoint({ protocol, host }) {
  return `${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/connection/websocket`;
}

/**
 * @typedef {object} Ports
 * @property {{ load: () => string, save: (token: string) => void }} guest keeps the guest token
 * @property {string} tokenUrl where the application gives its user's token; '' if people are guests
 * @property {(notice: Notice) => void} onNotice
 * @property {(channel: string) => void} onLeft one left a room, here or elsewhere
 */

export class Connection {
  #store;
  #centrifuge;
  /** @type {Map<string, LiveRoom>} the one that was on screen last is the last */
  #rooms = new Map();
  /** @type {LiveRoom | null} */
  #room = null;
  #guest;
  #onNotice;
  #onLeft;
  #network = new EventTarget();
  /** @type {() => void} */
  #placesKnown = () => {};
  /** Settled once the server has said, or refused to, where one stopped reading. */
  #knowsPlaces = new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    this.#placesKnown = resolve;
  });
  #willAskMine = false;
  #isAway = false;
  /** @type {Set<string>} whose names were asked for on this connection */
  #asked = new Set();
  #reader = createReader((channel, offset) => this.#tellRead(channel, offset));
  /** @param {string} channel */
  fileKey = createFileKeys(
    async (channel) => (await this.#centrifuge.rpc('files', { channel })).data,
  );

  /** @param {string} url @param {Store} store @param {Ports} ports */
  constructor(url, store, { guest, tokenUrl, onNotice, onLeft }) {
    this.#store = store;
    this.#guest = guest;
    this.#onNotice = onNotice;
    this.#onLeft = onLeft;
    this.#centrifuge = new Centrifuge(url, {
      name: 'parley-page',
      maxReconnectDelay: 10_000,
      networkEventTarget: this.#network,
      ...(tokenUrl && { getToken: () => fetchToken(tokenUrl) }),
    });
    this.#follow();
    setInterval(() => this.listRooms(), ROOMS_EVERY_MS);
    setInterval(() => this.#followsAll || this.#askMine(), MINE_EVERY_MS);
    document.addEventListener('visibilitychange', () => this.listRooms());
    addEventListener('pagehide', () => this.#reader.flush());
    for (const type of ['online', 'offline']) {
      addEventListener(type, () => this.#network.dispatchEvent(new Event(type)));
    }
  }

  /** The room on screen. */
  get room() {
    return this.#room;
  }

  /** @param {string} name '' for one of the server's choice */
  join(name) {
    this.#centrifuge.setData({ name, guest: this.#guest.load() });
    this.#centrifuge.connect();
    this.#room?.enter(); // it may have been left because of the name
  }

  /** At once, rather than when the SDK would. */
  reconnect() {
    if (this.#centrifuge.state === 'disconnected') this.#centrifuge.connect();
    else this.#network.dispatchEvent(new Event('online'));
  }

  /** Rooms and what waits to be sent stay, and go on with the next join. */
  disconnect() {
    this.#centrifuge.disconnect();
  }

  /**
   * Puts a room on screen. The one before stays in the background.
   *
   * @param {string | null} channel
   * @param {number | null} offset of the message to show; null: where one stopped reading
   */
  open(channel, offset) {
    this.#room?.hide();
    this.#room = channel === null ? null : this.#liveRoom(channel);
    if (channel !== null && this.#room) {
      this.#rooms.delete(channel);
      this.#rooms.set(channel, this.#room); // the last to be let go
      this.#room.show(offset === null ? null : { offset, as: 'marked' });
      this.#keepMostLive();
    }
    this.listRooms();
    this.learnNames(strangersIn(this.#store.state));
  }

  /** @param {number} offset @param {'marked' | 'place'} as */
  jump(offset, as) {
    return this.#room?.go({ offset, as });
  }

  /** Shows the newest messages. */
  latest() {
    return this.#room?.go(END);
  }

  /** @param {string} channel @param {number} offset */
  seen(channel, offset) {
    const read = this.#store.state.places.get(channel)?.read ?? 0;
    if (offset > read) this.#store.dispatch({ type: 'seen', channel, offset });
    // Not less than the server said; and what could not be told is told again.
    if (offset >= read) this.#reader.seen(channel, offset);
  }

  /**
   * What is asked for by a person, who is told if it was not done. "Too fast" is no matter for
   * them: it is asked again.
   *
   * @param {string} method
   * @param {object} data
   * @returns {Promise<{ data: any, problem: string }>} problem: what went wrong, '' if nothing did
   */
  async ask(method, data) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return { data: (await this.#centrifuge.rpc(method, data)).data, problem: '' };
      } catch (thrown) {
        const error = requestError(thrown);
        if (error.code !== TOO_MANY_REQUESTS || attempt === MOST_ATTEMPTS) {
          return { data: null, problem: reasonOf(error.message) };
        }
        await wait(backoffMs(attempt + 1));
      }
    }
  }

  /** Follows a room no more. @param {string} channel */
  forget(channel) {
    this.#reader.forget(channel);
    const room = this.#rooms.get(channel);
    if (room !== this.#room) room?.leave();
  }

  /** Says whether somebody is at this page. @param {boolean} isAway */
  away(isAway) {
    this.#isAway = isAway;
    if (this.#centrifuge.state !== 'connected') return;
    this.#centrifuge.rpc('away', { on: isAway }).catch(requestError); // said again with the next connection
  }

  /** Asks what users are called. @param {readonly string[]} users */
  async learnNames(users) {
    const unknown = users.filter((user) => !this.#asked.has(user)).slice(0, MOST_NAMES);
    if (unknown.length === 0 || this.#centrifuge.state !== 'connected') return;
    for (const user of unknown) this.#asked.add(user);
    const { data } = await this.ask('names', { users: unknown });
    const people = Object.entries(data?.names ?? {}).map(([user, name]) => ({ user, name }));
    this.#store.dispatch({ type: 'met', people });
  }

  async listRooms() {
    if (this.#centrifuge.state !== 'connected' || document.hidden) return;
    try {
      const { data } = await this.#centrifuge.rpc('rooms', {});
      this.#store.dispatch({ type: 'roomsListed', rooms: data.rooms });
    } catch (thrown) {
      requestError(thrown); // asked again at the next turn
    }
  }

  /** By the server one's other tabs know, too. @param {string} channel @param {number} offset */
  async #tellRead(channel, offset) {
    await this.#centrifuge.rpc('read', { channel, offset });
    const place = this.#store.state.places.get(channel);
    // Read in part: only the server knows what is left. And of a room that is new to it, the rest.
    if (!place || place.epoch === '' || place.unread > 0) this.#askMineSoon();
  }

  async #askMine() {
    if (this.#centrifuge.state !== 'connected') return;
    try {
      const { data } = await this.#centrifuge.rpc('mine', {});
      this.#store.dispatch({ type: 'placesTold', rooms: data.rooms });
      this.#followPlaces();
      this.learnNames(strangersIn(this.#store.state));
    } catch (thrown) {
      requestError(thrown); // asked again at the next turn
    } finally {
      this.#placesKnown();
    }
  }

  #askMineSoon() {
    if (this.#willAskMine) return;
    this.#willAskMine = true;
    setTimeout(() => {
      this.#willAskMine = false;
      this.#askMine();
    }, MINE_AFTER_MS);
  }

  get #followsAll() {
    return [...this.#store.state.places.keys()].every((channel) => this.#rooms.get(channel)?.isLive);
  }

  #followPlaces() {
    for (const channel of this.#store.state.places.keys()) {
      const live = [...this.#rooms.values()].filter(({ isLive }) => isLive).length;
      if (live >= MOST_LIVE) return;
      if (kindOf(channel) === null || this.#rooms.get(channel)?.isLive) continue;
      this.#store.dispatch({ type: 'roomFollowed', channel });
      const room = this.#liveRoom(channel);
      this.#rooms.delete(channel);
      this.#rooms = new Map([[channel, room], ...this.#rooms]); // the first to be let go
      room.enter();
    }
  }

  #keepMostLive() {
    const live = [...this.#rooms.values()].filter(({ isLive }) => isLive);
    for (const room of live.slice(0, -MOST_LIVE)) room.leave();
  }

  /** @param {string} channel */
  #liveRoom(channel) {
    const store = this.#store;
    let live = this.#rooms.get(channel);
    if (!live) {
      live = new LiveRoom(this.#centrifuge, channel, {
        room: () => /** @type {import('./room.js').Room} */ (store.state.rooms.get(channel)),
        dispatch: (event) => store.dispatch({ type: 'room', channel, event }),
        onNameTaken: (reason) => {
          store.dispatch({ type: 'nameRefused', reason });
          this.disconnect();
        },
        onLeft: () => this.#onLeft(channel),
        newFrom: async () => {
          await this.#knowsPlaces;
          const place = store.state.places.get(channel);
          return place && newIn(place) > 0 ? place.read : null;
        },
      });
      this.#rooms.set(channel, live);
    }
    return live;
  }

  /** @param {Notice} notice */
  #notice(notice) {
    const { channel } = notice;
    const isNew = !this.#store.state.places.has(channel);
    this.#store.dispatch({ type: 'noticed', notice });
    if (notice.type === 'left') {
      // A private one says by itself whether one left it, or was put out, which one shall read.
      if (kindOf(channel) !== 'private') this.#onLeft(channel);
      this.forget(channel);
    } else if (isNew || newIn(this.#store.state.places.get(channel)) > 0) {
      this.#askMineSoon();
    }
    this.#onNotice(notice);
  }

  #follow() {
    const { dispatch } = this.#store;
    this.#centrifuge.on('connecting', () => dispatch({ type: 'connecting' }));
    this.#centrifuge.on('connected', ({ data: { user, name, guest = '' } }) => {
      // The next connection shall be the same guest: only to it is a send with an old key a repeat.
      this.#guest.save(guest);
      this.#centrifuge.setData({ name, guest });
      dispatch({ type: 'connected', user, name });
      this.#asked.clear();
      this.listRooms();
      this.#askMine();
      if (this.#isAway) this.away(true);
    });
    this.#centrifuge.on('publication', ({ channel, data }) => {
      const { self } = this.#store.state;
      const notice = self && channel === personalChannel(self.user) ? noticeOf(data) : null;
      if (notice) this.#notice(notice);
    });
    onRetryScheduled(this.#centrifuge, (ms) => {
      dispatch({ type: 'retryScheduled', at: Date.now() + ms });
    });
    this.#centrifuge.on('error', ({ type }) => {
      if (type === 'transport' || type === 'connect') {
        dispatch({ type: 'connectFailed', reason: 'The server does not answer' });
      }
    });
    this.#centrifuge.on('disconnected', ({ code, reason }) => {
      dispatch({ type: 'disconnected', code, reason: WORDS.get(code) ?? reasonOf(reason) });
    });
  }
}
