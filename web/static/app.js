// @ts-check
/** Puts the page together, once start.js has drawn something: state, connection, address bar, and a view drawn after each change. */

import { LOBBY } from './channels.js';
import { Chat } from './chat.js';
import { Connection, endpoint } from './connection.js';
import { createIdle, watchSigns } from './idle.js';
import { Join } from './join.js';
import { EMPTY_DRAFT, fromStored, mentioning, merged, toStored, typed } from './drafts.js';
import { createNotifier } from './notifier.js';
import { newIn } from './places.js';
import { createRecent } from './recent.js';
import { channelOf, offsetOf, pathOf } from './route.js';
import { isAllSent } from './room.js';
import { order } from './sections.js';
import { createStore, INITIAL } from './store.js';
import { badgeOf, titleOf, unreadIn } from './title.js';
import { createFrame, stored } from './browser.js';
import { createKey } from './key.js';
import { guest, savedName, tokenUrl } from './identity.js';
import { html, render } from './vendor/preact.js';

const root = /** @type {HTMLElement} */ (document.getElementById('app'));
const savedDrafts = stored(() => localStorage, 'parley.drafts');
const store = createStore({ ...INITIAL, drafts: fromStored(savedDrafts.load()) });
const BELL = 'parley.notifications';
const notifier = createNotifier(
  stored(() => localStorage, BELL),
  (channel, offset) => actions.go(channel, offset),
);
const connection = new Connection(endpoint(location), store, {
  guest,
  tokenUrl,
  onNotice: (notice) => notifier.notify(store.state, notice),
  onLeft: (channel) => actions.goElsewhere(channel),
});
const recent = createRecent(stored(() => localStorage, 'parley.recent'));
const idle = createIdle((isAway) => connection.away(isAway));
watchSigns(idle.sign);

/** @typedef {typeof actions} Actions what the view can ask for */
export const actions = {
  /** @param {string} name */
  join(name) {
    store.dispatch({ type: 'nameChosen', name });
    connection.join(name);
  },
  changeName() {
    store.dispatch({ type: 'nameWanted' });
    connection.disconnect();
  },
  reconnect: () => connection.reconnect(),

  /**
   * Shows a room, where one stopped reading or at a message.
   *
   * @param {string} channel
   * @param {number} [offset]
   */
  go(channel, offset) {
    if (channel === store.state.channel) {
      if (offset !== undefined) actions.jump(offset);
      return;
    }
    leavePlace(pathOf(channel, offset));
    show();
  },
  /** So many rooms down the list, from where one is now, drawn or not. @param {number} step */
  goBy(step) {
    const channels = order(store.state);
    const at = channels.indexOf(store.state.channel ?? '');
    const to = channels[(at + step + channels.length) % channels.length];
    if (to !== undefined) actions.go(to);
  },
  /** Shows a message of this room in its context. @param {number} offset */
  jump(offset) {
    const { channel } = store.state;
    if (channel === null) return;
    if (offsetOf(location.hash) !== offset) leavePlace(pathOf(channel, offset));
    connection.jump(offset, 'marked');
  },
  latest() {
    const { channel } = store.state;
    if (channel !== null && location.hash) leavePlace(pathOf(channel));
    connection.latest();
  },
  first: () => connection.jump(1, 'place'),
  enter: () => connection.room?.enter(),
  loadOlder: () => connection.room?.loadOlder(),
  loadNewer: () => connection.room?.loadNewer(),
  typing: () => connection.room?.typing(),
  /** @param {number | null} offset of the message that is read, further up; null: what comes is read */
  reading(offset) {
    const { room } = connection;
    if (!room) return;
    if ((room.reading === null) !== (offset === null)) {
      inRoom({ type: 'reading', isReading: offset !== null });
    }
    room.reading = offset;
  },
  /** @param {string} channel @param {number} offset up to which messages were in sight */
  seen: (channel, offset) => connection.seen(channel, offset),
  /** @param {string} channel @param {boolean} on */
  notify: (channel, on) => connection.ask('notify', { channel, on }),
  /** @param {string} method @param {object} data */
  ask: (method, data) => connection.ask(method, data),
  /** @param {string} channel @returns {Promise<string>} what went wrong */
  async leave(channel) {
    const { problem } = await connection.ask('leave', { channel });
    if (problem) return problem;
    actions.goElsewhere(channel);
    store.dispatch({ type: 'noticed', notice: { type: 'left', channel } });
    connection.forget(channel);
    return '';
  },
  /** Where one was before, from a room that one has left. @param {string} channel */
  goElsewhere(channel) {
    if (channel === store.state.channel) actions.go(recent.others(channel)[0] ?? LOBBY);
    recent.drop(channel);
  },
  /** Puts an invitation aside. @param {string} channel */
  dismiss: (channel) => store.dispatch({ type: 'invitationDismissed', channel }),
  /** Somebody was invited: who belongs to the room is another question now. */
  lookAgain: () => connection.room?.lookAgain(),
  /** Where one was, the last first. */
  recent: () => recent.others(store.state.channel),
  /** @param {readonly string[]} users */
  learnNames: (users) => connection.learnNames(users.filter((user) => !store.state.people.has(user))),
  /** Begins, or goes on with, a message that names somebody. @param {{ user: string, name: string }} person */
  mention(person) {
    const field = /** @type {HTMLTextAreaElement | null} */ (document.getElementById('message'));
    if (!field) return;
    const before = field.value === '' || /\s$/.test(field.value) ? field.value : `${field.value} `;
    field.value = `${before}@${person.name} `;
    actions.draft((now) => mentioning(typed(now, field.value), person));
    field.focus();
  },
  async toggleBell() {
    await notifier.toggle();
    store.dispatch({ type: 'bellChanged', bell: notifier.bell });
  },

  fileKey: () => connection.fileKey(store.state.channel ?? ''),
  /** @param {Pick<import('./room.js').Unsent, 'text' | 'reply' | 'mentions' | 'files'>} message */
  send(message) {
    inRoom({ type: 'sendRequested', key: createKey(), time: Date.now(), ...message });
    inRoom({ type: 'divided', read: null });
    connection.room?.flush();
    const { channel, rooms } = store.state;
    if (channel !== null && !rooms.get(channel)?.atEnd) connection.latest();
  },
  /** @param {string} key */
  retry(key) {
    inRoom({ type: 'sendRetried', key });
    connection.room?.flush();
  },
  /** @param {string} key */
  discard: (key) => inRoom({ type: 'sendDiscarded', key }),
  /** @param {import('./own-changes.js').Wish} wish */
  change(wish) {
    inRoom({ type: 'changeRequested', key: createKey(), wish, time: Date.now() });
    connection.room?.flush();
  },
  /** @param {string} key */
  retryChange(key) {
    inRoom({ type: 'changeRetried', key });
    connection.room?.flush();
  },
  /** @param {string} key */
  discardChange: (key) => inRoom({ type: 'changeDiscarded', key }),
  /** @param {(draft: import('./drafts.js').Draft) => import('./drafts.js').Draft} change */
  draft(change) {
    const { channel, drafts } = store.state;
    const draft = change(drafts.get(channel ?? '') ?? EMPTY_DRAFT);
    if (channel !== null) store.dispatch({ type: 'drafted', channel, draft });
    return draft;
  },
  /** @param {number} offset of a message that another one answers, and that is not loaded */
  wantQuote(offset) {
    inRoom({ type: 'quoteWanted', offset });
    connection.room?.flush();
  },
  /** @param {string} method @param {object} data @returns {Promise<string>} what went wrong */
  moderate: async (method, data) => (await connection.room?.moderate(method, data)) ?? '',
};

/** @param {import('./room.js').RoomEvent} event */
function inRoom(event) {
  const { channel } = store.state;
  if (channel !== null) store.dispatch({ type: 'room', channel, event });
}

/**
 * Goes to another address of the page. Who comes back to this one finds what they read here.
 *
 * @param {string} address
 */
function leavePlace(address) {
  history.replaceState({ reading: connection.room?.reading ?? null }, '');
  history.pushState(null, '', address);
}

/** Shows the room, and the message, that the address names. */
function show() {
  const channel = channelOf(location.pathname);
  const offset = offsetOf(location.hash);
  if (channel !== null && location.pathname !== pathOf(channel)) {
    history.replaceState(history.state, '', pathOf(channel) + location.search + location.hash);
  }
  if (channel === null || channel !== store.state.channel) {
    store.dispatch({ type: 'roomOpened', channel });
    connection.open(channel, offset);
    if (channel !== null) recent.add(channel);
  } else if (offset !== null) {
    connection.jump(offset, 'marked');
  } else if (location.hash === '') {
    const reading = history.state?.reading ?? null;
    if (reading === null) connection.latest();
    else connection.jump(reading, 'place');
  }
}

const icon = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel=icon]'));
const plainIcon = icon.href;

let lastSaved = store.state.drafts;

/** What was written here: other tabs have drafts, too. @param {import('./drafts.js').Drafts} drafts */
function saveDrafts(drafts) {
  if (drafts === lastSaved) return;
  savedDrafts.save(toStored(merged(fromStored(savedDrafts.load()), lastSaved, drafts)));
  lastSaved = drafts;
}

let lastName = '';

/** @param {string} name */
function saveName(name) {
  if (name === lastName) return;
  lastName = name;
  savedName.save(name);
}

function draw() {
  const { state } = store;
  document.title = titleOf(state);
  const address = badgeOf(unreadIn(state)) || plainIcon;
  if (icon.href !== address) icon.href = address;
  if (state.self && state.stage === 'in') saveName(state.name);
  saveDrafts(state.drafts);
  const View = state.stage === 'in' ? Chat : Join;
  render(html`<${View} state=${state} actions=${actions} />`, root);
}

/** Whether somebody looks. Who comes back finds a line above what is new. */
function look() {
  const { hidden } = document;
  const { channel, places, hidden: before } = store.state;
  store.dispatch({ type: 'visibilityChanged', hidden });
  const place = channel === null ? undefined : places.get(channel);
  if (before && !hidden && place && newIn(place) > 0) inRoom({ type: 'divided', read: place.read });
  draw();
}

store.listen(createFrame(draw));
addEventListener('popstate', show);
document.addEventListener('visibilitychange', look);
addEventListener('beforeunload', (event) => {
  // It lives in the page: who leaves is asked first. Where one is not let in any more, nothing can be done about it.
  const isDone = [...store.state.rooms.values()].every((room) => room.refusal || isAllSent(room));
  if (!isDone) event.preventDefault();
});
const network = () => store.dispatch({ type: 'onlineChanged', online: navigator.onLine });
addEventListener('online', network);
addEventListener('offline', network);
const lookAtBell = () => store.dispatch({ type: 'bellChanged', bell: notifier.bell });
addEventListener('storage', ({ key }) => key === BELL && lookAtBell()); // another tab's
lookAtBell();
network();
look();

// Who has a token is not asked for a name.
const name = tokenUrl ? '' : savedName.load();
if (name || tokenUrl) store.dispatch({ type: 'resumed', name });
show();
if (name || tokenUrl) connection.join(name);
