// @ts-check
/** Puts the page together, once start.js has drawn something: state, connection, address bar, and a view drawn after each change. */

import { Chat } from './chat.js';
import { Connection, endpoint } from './connection.js';
import { Join } from './join.js';
import { channelOf, pathOf } from './route.js';
import { createStore } from './store.js';
import { createTitle } from './title.js';
import { createFrame } from './browser.js';
import { createKey } from './key.js';
import { guest, savedName, tokenUrl } from './identity.js';
import { html, render } from './vendor/preact.js';

const root = /** @type {HTMLElement} */ (document.getElementById('app'));
const store = createStore();
const connection = new Connection(endpoint(location), store, guest, tokenUrl);

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

  /** @param {string} channel */
  go(channel) {
    if (channel === store.state.channel) return;
    history.pushState(null, '', pathOf(channel));
    show();
  },
  enter: () => connection.room?.enter(),
  loadOlder: () => connection.room?.loadOlder(),
  typing: () => connection.room?.typing(),
  /** @param {boolean} isReading messages further up, rather than what comes */
  reading(isReading) {
    if (connection.room) connection.room.isReading = isReading;
  },

  /** @param {string} text */
  send(text) {
    inRoom({ type: 'sendRequested', key: createKey(), text, time: Date.now() });
    connection.room?.flush();
  },
  /** @param {string} key */
  retry(key) {
    inRoom({ type: 'sendRetried', key });
    connection.room?.flush();
  },
  /** @param {string} key */
  discard: (key) => inRoom({ type: 'sendDiscarded', key }),
  /** @param {string} method @param {object} data @returns {Promise<string>} what went wrong */
  moderate: async (method, data) => (await connection.room?.moderate(method, data)) ?? '',
  /** @param {number} keep */
  trim: (keep) => inRoom({ type: 'trimmed', keep }),
};

/** @param {import('./room.js').RoomEvent} event */
function inRoom(event) {
  const { channel } = store.state;
  if (channel !== null) store.dispatch({ type: 'room', channel, event });
}

/** Shows the room that the address names. */
function show() {
  const channel = channelOf(location.pathname);
  if (channel !== null && location.pathname !== pathOf(channel)) {
    history.replaceState(null, '', pathOf(channel) + location.search + location.hash);
  }
  if (channel !== null && channel === store.state.channel) return; // only the fragment changed
  store.dispatch({ type: 'roomOpened', channel });
  connection.open(channel);
}

const titleOf = createTitle();

function draw() {
  const { state } = store;
  document.title = titleOf(state);
  if (state.self && state.stage === 'in') savedName.save(state.name);
  const View = state.stage === 'in' ? Chat : Join;
  render(html`<${View} state=${state} actions=${actions} />`, root);
}

const drawSoon = createFrame(draw);

store.listen(drawSoon);
addEventListener('popstate', show);
document.addEventListener('visibilitychange', draw);

// Who has a token is not asked for a name.
const name = tokenUrl ? '' : savedName.load();
if (name || tokenUrl) store.dispatch({ type: 'resumed', name });
show();
if (name || tokenUrl) connection.join(name);
