// @ts-check
/**
 * The one connection of the page. The SDK reconnects and resumes by itself; this file names us,
 * opens rooms, and turns what happens into events.
 */

import { LiveRoom } from './live-room.js';
import { reasonOf, requestError } from './retry.js';
import './vendor/centrifuge.js';

/** @import { Store } from './store.js' */

const ROOMS_EVERY_MS = 15_000;

/** @type {ReadonlyMap<number, string>} what a code means to a person */
const WORDS = new Map([
  [1, 'You are not logged in'],
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

export class Connection {
  #store;
  #centrifuge;
  /** @type {Map<string, LiveRoom>} */
  #rooms = new Map();
  /** @type {LiveRoom | null} */
  #room = null;
  #guest;

  /**
   * @param {string} url
   * @param {Store} store
   * @param {{ load: () => string, save: (token: string) => void }} guest keeps the guest token
   * @param {string} tokenUrl where the application gives its user's token; '' if people are guests
   */
  constructor(url, store, guest, tokenUrl) {
    this.#store = store;
    this.#guest = guest;
    this.#centrifuge = new Centrifuge(url, {
      name: 'parley-page',
      maxReconnectDelay: 10_000,
      ...(tokenUrl && { getToken: () => fetchToken(tokenUrl) }),
    });
    this.#follow();
    setInterval(() => this.listRooms(), ROOMS_EVERY_MS);
    document.addEventListener('visibilitychange', () => this.listRooms());
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

  reconnect() {
    this.#centrifuge.connect();
  }

  /** Rooms and what waits to be sent stay, and go on with the next join. */
  disconnect() {
    this.#centrifuge.disconnect();
  }

  /** @param {string | null} channel */
  open(channel) {
    this.#room?.leave();
    this.#room = channel === null ? null : this.#liveRoom(channel);
    this.#room?.enter();
    this.listRooms();
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

  /** @param {string} channel */
  #liveRoom(channel) {
    const store = this.#store;
    let live = this.#rooms.get(channel);
    if (!live) {
      live = new LiveRoom(
        this.#centrifuge,
        channel,
        () => /** @type {import('./room.js').Room} */ (store.state.rooms.get(channel)),
        (event) => store.dispatch({ type: 'room', channel, event }),
        (reason) => {
          store.dispatch({ type: 'nameRefused', reason });
          this.disconnect();
        },
      );
      this.#rooms.set(channel, live);
    }
    return live;
  }

  #follow() {
    const { dispatch } = this.#store;
    this.#centrifuge.on('connecting', () => dispatch({ type: 'connecting' }));
    this.#centrifuge.on('connected', ({ data: { user, name, guest = '' } }) => {
      // The next connection shall be the same guest: only to it is a send with an old key a repeat.
      this.#guest.save(guest);
      this.#centrifuge.setData({ name, guest });
      dispatch({ type: 'connected', user, name });
      this.listRooms();
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
