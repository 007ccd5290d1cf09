// @ts-check
/**
 * One room on the wire: turns what its subscription says into events, and keeps messages, presence
 * and sends going.
 */

import { kindOf } from './channels.js';
import { createOutbox } from './outbox.js';
import { currentEntry } from './publication.js';
import { nextQuote } from './quotes.js';
import { backoffMs, isTemporary, reasonOf, requestError, wait } from './retry.js';
import { TYPING_LASTS_MS } from './room.js';
import { covers, hasNewer, hasOlder, isCurrent } from './stream.js';

/** @import { Centrifuge as Client, Subscription } from 'centrifuge' */
/** @import { Room, RoomEvent, Spot } from './room.js' */
/** @import { Page } from './stream.js' */

/** The server would give 100, but so many of the longest do not fit into what may wait for us. */
const PAGE = 50;
/** Fewer messages than that are no screen to begin with, if there are more. */
const SCREEN = 25;
const TYPING_EVERY_MS = 2000;
const CHECK_EVERY_MS = 20_000;
/** When many go at once, one asks once. */
const LOOK_AFTER_MS = 1000;
const UNSUBSCRIBE_CALLED = 0;
const PERMISSION_DENIED = 103;
const KICKED = 2101;
const LEFT = 2104;
/** Somebody else in the room has our name: refused on the way in, or put out later. */
const NAME_TAKEN = [409, 2100];

/** @typedef {Pick<Spot, 'offset' | 'as'>} Place where to show a room */

/** @type {Place} */
export const END = { offset: 0, as: 'end' };

/**
 * @typedef {object} Ports
 * @property {() => Room} room its state now
 * @property {(event: RoomEvent) => void} dispatch
 * @property {(reason: string) => void} onNameTaken while it is on screen
 * @property {() => void} onLeft one left it, here or elsewhere
 * @property {() => Promise<number | null>} newFrom where one stopped reading, if there is more
 */

export class LiveRoom {
  #centrifuge;
  #channel;
  #subscription;
  #room;
  #dispatch;
  #newFrom;
  #outbox;
  #changes;
  #quotes;
  #wanted = false;
  #isShown = false;
  /** @type {Place | null} what the next load is to show */
  #place = null;
  /** @type {Promise<void> | null} until it is known where to open the room */
  #opening = null;
  #round = 0;
  #isSynchronising = false;
  #willLook = false;
  #lastTyping = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #checking;

  /**
   * The message that somebody reads further up, null at the bottom. A reload shall not take away
   * what they read.
   *
   * @type {number | null}
   */
  reading = null;

  /** @param {Client} centrifuge @param {string} channel @param {Ports} ports */
  constructor(centrifuge, channel, { room, dispatch, onNameTaken, onLeft, newFrom }) {
    this.#centrifuge = centrifuge;
    this.#channel = channel;
    this.#room = room;
    this.#dispatch = dispatch;
    this.#newFrom = newFrom;
    this.#subscription = centrifuge.newSubscription(channel);
    this.#follow(this.#subscription, onNameTaken, onLeft);
    const isOpen = () => this.#isSubscribed && isCurrent(this.#room());
    this.#outbox = createOutbox({
      next: () => this.#room().unsent.find(({ state }) => state === 'pending'),
      // Not before it is current: what did arrive before the connection broke is found in the log.
      isOpen,
      send: async (unsent) => (await centrifuge.rpc('send', { channel, ...bodyOf(unsent) })).data,
      onSent: (key, { offset, epoch }) => {
        this.#lastTyping = 0; // the message ended our typing: the next keystroke tells it anew
        dispatch({ type: 'sent', key, offset, epoch });
      },
      onFailed: (key, problem) => dispatch({ type: 'sendFailed', key, problem: reasonOf(problem) }),
    });
    this.#changes = createOutbox({
      next: () => this.#room().changes.find(({ state }) => state === 'pending'),
      isOpen,
      send: async ({ key, wish: { type, ...fields } }) => {
        const method = type === 'reaction' ? 'react' : type;
        return (await centrifuge.rpc(method, { channel, key, ...fields })).data;
      },
      onSent: (key, { offset }) => dispatch({ type: 'changeSent', key, offset }),
      onFailed: (key, problem) =>
        dispatch({ type: 'changeFailed', key, problem: reasonOf(problem) }),
    });
    this.#quotes = createOutbox({
      next: () => {
        const offset = nextQuote(this.#room());
        return offset === undefined ? undefined : { key: String(offset), offset };
      },
      isOpen: () => this.#isSubscribed,
      send: async ({ offset }) => {
        const page = await this.#read({ before: offset + 1, limit: 1 });
        const message = page.messages.find((one) => one.offset === offset);
        return { entry: message ? currentEntry(message, page.offset) : null, epoch: page.epoch };
      },
      onSent: (key, read) => dispatch({ type: 'quoteRead', offset: Number(key), ...read }),
      onFailed: (key) => dispatch({ type: 'quoteRead', offset: Number(key), entry: null }),
    });
  }

  /** Whether it is followed: on screen, or in the background. */
  get isLive() {
    return this.#wanted;
  }

  /** Follows the room. In the background it keeps up with what is said, and loads nothing. */
  enter() {
    this.#wanted = true;
    this.#subscription.subscribe();
  }

  /** Puts it on screen. @param {Place | null} place null: where new messages begin, or the newest */
  show(place) {
    this.#isShown = true;
    this.reading = null;
    this.#dispatch({ type: 'shown' });
    this.enter();
    this.#checking ??= setInterval(() => this.#checkPresence(), CHECK_EVERY_MS);
    if (this.#isSubscribed) this.#readPresence().catch(requestError);
    this.#place = place;
    if (place) return this.go(place);
    this.#opening = this.#openAtNew();
    return this.#opening;
  }

  /** Follows it in the background, and keeps little of it. */
  hide() {
    this.#isShown = false;
    this.reading = null;
    this.#place = null;
    this.#opening = null;
    clearInterval(this.#checking);
    this.#checking = undefined;
    this.#dispatch({ type: 'hidden' });
  }

  /** Shows a message in its context, or the newest ones. @param {Place} place */
  async go(place) {
    if (!this.#isShown) return;
    if (isIn(this.#room(), place)) {
      this.#place = null;
      this.#dispatch({ type: 'spotted', ...place });
      return;
    }
    this.#place = place;
    this.reading = null;
    this.#dispatch({ type: 'moved' });
    if (this.#isSubscribed) await this.#synchronise();
  }

  async #openAtNew() {
    const read = await this.#newFrom();
    this.#opening = null;
    if (!this.#isShown || this.#place) return;
    this.#dispatch({ type: 'divided', read });
    await this.go(read === null ? END : { offset: read, as: 'new' });
  }

  /** What is not sent yet goes out first, and only then do we leave. */
  async leave() {
    this.#wanted = false;
    if (this.#hasPending) await this.flush();
    else this.#subscription.unsubscribe();
  }

  async flush() {
    await Promise.all([this.#outbox.flush(), this.#changes.flush(), this.#quotes.flush()]);
    if (!this.#wanted && !this.#hasPending) this.#subscription.unsubscribe();
  }

  typing() {
    const now = Date.now();
    if (!this.#isSubscribed || now - this.#lastTyping < TYPING_EVERY_MS) return;
    this.#lastTyping = now;
    // A lost one does not matter.
    this.#centrifuge.rpc('typing', { channel: this.#channel }).catch(requestError);
  }

  /**
   * @param {string} method kick, mute, ban
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
    if (older === 'loading' || !hasOlder(this.#room()) || !synced || !this.#isSubscribed) return;
    this.#dispatch({ type: 'olderRequested' });
    try {
      const page = await this.#read({ before: floor });
      this.#dispatch({ type: 'olderLoaded', page, before: floor });
    } catch (thrown) {
      requestError(thrown);
      this.#dispatch({ type: 'olderFailed' });
    }
  }

  async loadNewer() {
    const { newer, ceiling, synced } = this.#room();
    if (newer === 'loading' || !hasNewer(this.#room()) || !synced || !this.#isSubscribed) return;
    this.#dispatch({ type: 'newerRequested' });
    try {
      const page = await this.#read({ after: ceiling });
      this.#dispatch({ type: 'newerLoaded', page, after: ceiling });
    } catch (thrown) {
      requestError(thrown);
      this.#dispatch({ type: 'newerFailed' });
    }
  }

  get #isSubscribed() {
    return this.#subscription.state === 'subscribed';
  }

  get #hasPending() {
    const { unsent, changes } = this.#room();
    return [...unsent, ...changes].some(({ state }) => state === 'pending');
  }

  /**
   * @param {Subscription} subscription
   * @param {(reason: string) => void} onNameTaken
   * @param {() => void} onLeft
   */
  #follow(subscription, onNameTaken, onLeft) {
    const dispatch = this.#dispatch;
    const tellTime = () => dispatch({ type: 'timePassed', now: Date.now() });
    subscription.on('subscribed', ({ recovered, streamPosition, data }) => {
      const { epoch = '', offset = 0 } = streamPosition ?? {};
      const { role, topic = '' } = data ?? {};
      const moderates = Boolean(role);
      dispatch({ type: 'subscribed', epoch, offset, recovered, moderates, topic });
      this.#synchronise();
      if (this.#isShown) this.#readPresence().catch(requestError); // the next check repeats it
    });
    subscription.on('unsubscribed', ({ code, reason }) => {
      if (code !== UNSUBSCRIBE_CALLED) dispatch({ type: 'refused', reason: wordsOf(code, reason) });
      if (NAME_TAKEN.includes(code) && this.#isShown) onNameTaken(reasonOf(reason));
      if (code === LEFT) onLeft();
    });
    subscription.on('publication', (publication) => {
      dispatch({ type: 'published', publication, now: Date.now() });
      // Publications come without a gap. Should there be one, it is not for ever.
      if (this.#room().held.length > 0 && !this.#isSynchronising) this.#synchronise();
      // After a typing the room is told the time once it may be over.
      if (!publication.offset) setTimeout(tellTime, TYPING_LASTS_MS);
    });
    subscription.on('join', ({ info }) => dispatch({ type: 'joined', info }));
    subscription.on('leave', ({ info }) => {
      dispatch({ type: 'left', info });
      this.lookAgain(); // for a while, or for good?
    });
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
    if (!this.#isShown) {
      this.#dispatch({ type: 'begun' });
      return;
    }
    await this.#opening;
    if (isCurrent(this.#room())) return; // opening it has loaded it
    const place = this.#place;
    const around = place?.as === 'end' ? null : (place?.offset ?? this.reading);
    try {
      const pages = around === null ? [await this.#read({})] : await this.#readAround(around);
      this.#dispatch({
        type: 'messagesLoaded',
        pages: /** @type {[Page, ...Page[]]} */ (pages),
      });
      if (place && place === this.#place && this.#room().synced) {
        this.#place = null;
        this.#dispatch({ type: 'spotted', ...place });
      }
    } catch (thrown) {
      if (!isTemporary(requestError(thrown))) this.#dispatch({ type: 'messagesUnavailable' });
    }
  }

  /** @param {number} offset @returns {Promise<Page[]>} the newest messages first */
  async #readAround(offset) {
    const reads = [this.#read({ after: offset }), this.#read({ before: offset + 1 })];
    const pages = await Promise.all(reads);
    // An offset that was not there yet would leave a hole between the two.
    return pages.every((page) => page.offset >= offset) ? pages : [await this.#read({})];
  }

  /**
   * A page may be shorter than asked for because its messages are long: only one that is empty, or
   * reaches the first or last offset, says that there are no more.
   *
   * @param {{ before?: number, after?: number, limit?: number }} from neither offset: the newest page
   * @returns {Promise<Page>}
   */
  async #read(from) {
    const request = { channel: this.#channel, limit: PAGE, ...from };
    const { data } = await this.#centrifuge.rpc('messages', request);
    const { messages, offset } = data;
    const isNewest = from.before === undefined && from.after === undefined;
    const complete = messages.length === 0 || messages[0].offset === 1;
    const end = isNewest || messages.length === 0 || messages.at(-1).offset === offset;
    return { ...data, complete, end };
  }

  async #readPresence() {
    try {
      const { clients } = await this.#subscription.presence();
      this.#dispatch({ type: 'presenceRead', infos: Object.values(clients) });
      await this.#readMembers();
    } catch (thrown) {
      if (isTemporary(requestError(thrown))) return; // asked again at the next turn
      const { numClients: clients, numUsers: users } = await this.#subscription.presenceStats();
      this.#dispatch({ type: 'presenceCounted', clients, users });
    }
  }

  /** Reads, after a pause, who belongs to a closed room. */
  lookAgain() {
    if (kindOf(this.#channel) === 'public' || this.#willLook || !this.#isShown) return;
    this.#willLook = true;
    setTimeout(() => {
      this.#willLook = false;
      if (this.#isSubscribed && this.#isShown) this.#readMembers().catch(requestError);
    }, LOOK_AFTER_MS);
  }

  /** How they are, and who belongs here and is elsewhere. */
  async #readMembers() {
    const channel = this.#channel;
    const { data } = await this.#centrifuge.rpc('members', { channel });
    const isClosed = kindOf(channel) !== 'public';
    this.#dispatch({ type: 'membersTold', members: data.members, isClosed });
  }

  /** Counting is cheap; the list is read again only when it does not add up. */
  async #checkPresence() {
    if (!this.#isSubscribed || !this.#isShown || document.hidden) return;
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

/** Whether what is loaded is enough to show the place. @param {Room} room @param {Place} place */
function isIn(room, { offset, as }) {
  if (as !== 'end') return covers(room, offset);
  return room.loaded && room.atEnd && (room.log.length >= SCREEN || !hasOlder(room));
}

/** What is not there is left out. @param {import('./room.js').Unsent} unsent */
function bodyOf({ key, text, reply, mentions, files }) {
  return {
    key,
    text,
    ...(reply !== null && { reply }),
    ...(Object.keys(mentions).length > 0 && { mentions }),
    ...(files.length > 0 && { files: files.map(({ id }) => id) }),
  };
}

/** What an end means to a person. @param {number} code @param {string} reason */
function wordsOf(code, reason) {
  if (code === KICKED) return `a moderator put you out (${reason})`;
  if (code === PERMISSION_DENIED) return 'you are not allowed in';
  return reasonOf(reason);
}
