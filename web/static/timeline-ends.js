// @ts-check
/** What stands above the first message that is loaded, and below the last. */

import { kindOf } from './channels.js';
import { hasNewer, hasOlder } from './stream.js';
import { html } from './vendor/preact.js';

/** @import { Room } from './room.js' */
/** @import { Actions } from './app.js' */

/**
 * @typedef {object} TopProps
 * @property {string} channel
 * @property {string} title
 * @property {Room} room
 * @property {boolean} isEmpty
 * @property {Actions} actions
 */

/** @param {TopProps} props */
export function Top({ channel, title, room, isEmpty, actions }) {
  const place = kindOf(channel) === 'direct' ? `your conversation with ${title}` : title;
  if (room.refusal) {
    return html`<div class="notice">
      <p role="alert">This room does not let you in: ${room.refusal}</p>
      <button onClick=${actions.enter}>Try again</button>
    </div>`;
  }
  if (!room.loaded) return html`<p class="notice">Loading messages…</p>`;
  if (hasOlder(room)) {
    if (room.older !== 'failed') return html`<p class="notice">Loading older messages…</p>`;
    return html`<${Failed} what="Older" onRetry=${actions.loadOlder} />`;
  }
  if (room.floor > 1 && !isEmpty) {
    return html`<p class="notice">There are no older messages.</p>`;
  }
  if (isEmpty) {
    return html`<p class="notice">Nothing has been said in ${place} yet. Say hello!</p>`;
  }
  return html`<p class="notice">This is where ${place} begins.</p>`;
}

/** @param {{ room: Room, actions: Actions }} props */
export function Bottom({ room, actions }) {
  if (!hasNewer(room)) return null;
  if (room.newer !== 'failed') return html`<p class="notice">Loading newer messages…</p>`;
  return html`<${Failed} what="Newer" onRetry=${actions.loadNewer} />`;
}

/** @param {{ what: string, onRetry: () => void }} props */
function Failed({ what, onRetry }) {
  return html`<div class="notice">
    <p class="problem">${what} messages could not be loaded.</p>
    <button onClick=${onRetry}>Try again</button>
  </div>`;
}
