// @ts-check
/**
 * One room on the wire: turns what its subscription says into events, and keeps messages, presence
 * and sends going.
 */

import { createOutbox } from './outbox.js';
import { backoffMs, isTemporary, reasonOf, requestError, wait } from './retry.js';
import { TYPING_LASTS_MS } from './room.js';
import { isCurrent } from './stream.js';

/** @import { Centrifuge as Client, Subscription } from 'centrifuge' */
/** @import { Room, RoomEvent } from './room.js' */
/** @import { Page } from './stream.js' */

/** The server would give 100, but so many of the longest do not fit into what may wait for us. */
const PAGE = 50;
const MOST_PAGES = 40;
const TYPING_EVERY_MS = 2000;
const CHECK_EVERY_MS = 20_000;
const UNSUBSCRIBE_CALLED = 0;
const PERMISSION_DENIED = 103;
const KICKED = 2101;
/** Somebody else in the room has our name: refused on the way in, or put out later. */
const NAME_TAKEN = [409, 2100];

export class LiveRoom {
  #centrifuge;
  #channel;
  #subscription;
  #room;
  #dispatch;
  #outbox;
  #wanted = false;
  #isReading = false;
  #round = 0;
  #isSynchronising = false;
  #lastTyping = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #checking;

  /**
   * @param {Client} centrifuge
   * @param {string} channel
   * @param {() => Room} room its state now
   * @param {(event: RoomEvent) => void} dispatch
   * @param {(reason: string) => void} onNameTaken
   */
  constructor(centrifuge, channel, room, dispatch, onNameTaken) {
    this.#centrifuge = centrifuge;
    this.#channel = channel;
    this.#room = room;
    this.#dispatch = dispatch;
    this.#subscription = centrifuge.newSubscription(channel);
    this.#follow(this.#subscription, onNameTaken);
    this.#outbox = createOutbox({
      next: () => this.#room().unsent.find(({ state }) => state === 'pending'),
      // Not before it is current: what did arrive before the connection broke is found in the log.
      isOpen: () => this.#isSubscribed && isCurrent(this.#room()),
      send: async ({ key, text }) => (await centrifuge.rpc('send', { channel, key, text })).data,
      onSent: (key, { offset, epoch }) => {
        this.#lastTyping = 0; // the message ended our typing: the next keystroke tells it anew
        dispatch({ type: 'sent', key, offset, epoch });
      },
      onFailed: (key, problem) => dispatch({ type: 'sendFailed', key, problem: reasonOf(problem) }),
    });
  }

  enter() {
    this.#wanted = true;
    this.#subscription.subscribe();
    this.#checking ??= setInterval(() => this.#checkPresence(), CHECK_EVERY_MS);
  }

  /** What is not sent yet goes out first, and only then do we leave. */
  async leave() {
    this.#wanted = false;
    clearInterval(this.#checking);
    this.#checking = undefined;
    if (this.#hasPending) await this.flush();
    else this.#subscription.unsubscribe();
  }

  async flush() {
    await this.#outbox.flush();
    if (!this.#wanted && !this.#hasPending) this.#subscription.unsubscribe();
  }

  typing() {
    const now = Date.now();
    if (!this.#isSubscribed || now - this.#lastTyping < TYPING_EVERY_MS) return;
    this.#lastTyping = now;
    // A lost one does not matter.
    this.#centrifuge.rpc('typing', { channel: this.#channel }).catch(requestError);
  }

  /** Whether somebody reads further up. Then a reload shall not take away what they read. */
  set isReading(/** @type {boolean} */ isReading) {
    this.#isReading = isReading;
  }

  /**
   * @param {string} method kick, mute, ban, delete
   * @param {object} data
   * @returns {Promise<string>} what went wrong, '' if nothing did
   */
  async moderate(method, data) {
    try {
      await this.#centrifuge.rpc(method, { channel: this.#channel, ...data });
      return '';
    } catch (thrown) {
      return reasonOf(requestError(thrown).message);
    }
  }

  async loadOlder() {
    const { older, floor, synced } = this.#room();
    if (older === 'loading' || !synced || !this.#isSubscribed) return;
    this.#dispatch({ type: 'olderRequested' });
    try {
      const page = await this.#read(floor);
      this.#dispatch({ type: 'olderLoaded', page, before: floor });
    } catch (thrown) {
      requestError(thrown);
      this.#dispatch({ type: 'olderFailed' });
    }
  }

  get #isSubscribed() {
    return this.#subscription.state === 'subscribed';
  }

  get #hasPending() {
    return this.#room().unsent.some(({ state }) => state === 'pending');
  }

  /** @param {Subscription} subscription @param {(reason: string) => void} onNameTaken */
  #follow(subscription, onNameTaken) {
    const dispatch = this.#dispatch;
    const tellTime = () => dispatch({ type: 'timePassed', now: Date.now() });
    subscription.on('subscribed', ({ recovered, streamPosition, data }) => {
      const { epoch = '', offset = 0 } = streamPosition ?? {};
      dispatch({ type: 'subscribed', epoch, offset, recovered, moderates: Boolean(data?.role) });
      this.#synchronise();
      this.#readPresence().catch(requestError); // the next check repeats it
    });
    subscription.on('unsubscribed', ({ code, reason }) => {
      if (code !== UNSUBSCRIBE_CALLED) dispatch({ type: 'refused', reason: wordsOf(code, reason) });
      if (NAME_TAKEN.includes(code)) onNameTaken(reasonOf(reason));
    });
    subscription.on('publication', (publication) => {
      dispatch({ type: 'published', publication, now: Date.now() });
      // Publications come without a gap. Should there be one, it is not for ever.
      if (this.#room().held.length > 0 && !this.#isSynchronising) this.#synchronise();
      // After a typing the room is told the time once it may be over.
      if (!publication.offset) setTimeout(tellTime, TYPING_LASTS_MS);
    });
    subscription.on('join', ({ info }) => dispatch({ type: 'joined', info }));
    subscription.on('leave', ({ info }) => dispatch({ type: 'left', info }));
  }

  /** Loads the log if it is not current; then what waits to be sent can go. */
  async #synchronise() {
    this.#round += 1;
    this.#isSynchronising = true;
    const round = this.#round;
    // The SDK hands over recovered publications right after 'subscribed': let them in first.
    await Promise.resolve();
    for (let attempt = 1; !isCurrent(this.#room()); attempt += 1) {
      if (attempt > 1) await wait(backoffMs(attempt - 1));
      if (round !== this.#round || !this.#isSubscribed) return; // the next 'subscribed' starts anew
      await this.#load();
    }
    this.#isSynchronising = false;
    await this.flush();
  }

  async #load() {
    try {
      const pages = await this.#readPages();
      this.#dispatch({ type: 'messagesLoaded', pages });
    } catch (thrown) {
      if (!isTemporary(requestError(thrown))) this.#dispatch({ type: 'messagesUnavailable' });
    }
  }

  /** The newest page, and those before it down to where the log began, if somebody reads there. */
  async #readPages() {
    const { loaded, floor } = this.#room();
    const lowest = loaded && this.#isReading ? floor : Infinity;
    let page = await this.#read();
    /** @type {[Page, ...Page[]]} */
    const pages = [page];
    while (!page.complete && lowOf(page) > lowest && pages.length < MOST_PAGES) {
      page = await this.#read(lowOf(page));
      pages.push(page);
    }
    return pages;
  }

  /** @param {number} [before] an offset @returns {Promise<Page>} */
  async #read(before) {
    const request = { channel: this.#channel, limit: PAGE, ...(before && { before }) };
    const { data } = await this.#centrifuge.rpc('messages', request);
    return { ...data, complete: data.messages.length < PAGE };
  }

  async #readPresence() {
    try {
      const { clients } = await this.#subscription.presence();
      this.#dispatch({ type: 'presenceRead', infos: Object.values(clients) });
    } catch (thrown) {
      if (isTemporary(requestError(thrown))) return; // asked again at the next turn
      const { numClients: clients, numUsers: users } = await this.#subscription.presenceStats();
      this.#dispatch({ type: 'presenceCounted', clients, users });
    }
  }

  /** Counting is cheap; the list is read again only when it does not add up. */
  async #checkPresence() {
    if (!this.#isSubscribed || document.hidden) return;
    const { members, clients } = this.#room().presence;
    try {
      const { numClients } = members
        ? await this.#subscription.presenceStats()
        : { numClients: -1 };
      if (numClients !== clients) await this.#readPresence();
    } catch (thrown) {
      requestError(thrown); // asked again at the next turn
    }
  }
}

/** What an end means to a person. @param {number} code @param {string} reason */
function wordsOf(code, reason) {
  if (code === KICKED) return `a moderator put you out (${reason})`;
  if (code === PERMISSION_DENIED) return 'you are not allowed in';
  return reasonOf(reason);
}

/** @param {Page} page */
function lowOf({ messages }) {
  return messages[0]?.offset ?? 0;
}
