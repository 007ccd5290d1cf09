// @ts-check
/** The messages of a room: at the bottom if the reader is there, in place while they read above. */

import { dayName, isoTime } from './dates.js';
import { Message } from './message.js';
import { newSince } from './room.js';
import { rowsOf } from './rows.js';
import { hasOlder } from './stream.js';
import { Component, html } from './vendor/preact.js';

/** @import { Room } from './room.js' */

/**
 * @typedef {object} Props
 * @property {string} channel
 * @property {Room} room
 * @property {import('./store.js').Link} link
 * @property {import('./app.js').Actions} actions
 *
 * @typedef {{ element: Element, top: number }} Anchor
 */

const AT_BOTTOM_PX = 40;
const MOST_KEPT = 1000;
const KEPT_AFTER_TRIM = 500;

/** @extends {Component<Props, { isPinned: boolean, seen: number }>} */
export class Timeline extends Component {
  state = { isPinned: true, seen: 0 };

  /** @type {HTMLElement | null} */
  box = null;
  observer = new ResizeObserver(() => this.state.isPinned && this.toBottom());
  /** @type {{ sources: unknown[], rows: ReturnType<typeof rowsOf> }} */
  memo = { sources: [], rows: [] };

  componentDidMount() {
    if (this.box) this.observer.observe(this.box);
    this.toBottom();
    this.props.actions.reading(false);
  }

  componentWillUnmount() {
    this.observer.disconnect();
  }

  /** The messages in sight, and where they are; null at the bottom. @returns {Anchor[] | null} */
  getSnapshotBeforeUpdate() {
    if (!this.box || this.state.isPinned) return null;
    const edge = this.box.getBoundingClientRect();
    const anchors = [];
    for (const element of this.box.querySelectorAll('.message')) {
      const { top, bottom } = element.getBoundingClientRect();
      if (top >= edge.bottom) break;
      if (bottom > edge.top) anchors.push({ element, top });
    }
    return anchors;
  }

  /** @param {Props} before @param {unknown} _state @param {Anchor[] | null} anchors */
  componentDidUpdate(before, _state, anchors) {
    const { room, actions } = this.props;
    const hasSent = room.unsent.length > before.room.unsent.length;
    if (this.state.isPinned || hasSent) {
      this.toBottom();
      if (room.log.length > MOST_KEPT) actions.trim(KEPT_AFTER_TRIM);
    } else if (this.box && anchors) {
      // Others may be gone: the log was reloaded, and does not reach as far up as before.
      const anchor = anchors.find(({ element }) => element.isConnected);
      if (anchor) this.box.scrollTop += anchor.element.getBoundingClientRect().top - anchor.top;
      else this.box.scrollTop = 0;
    }
  }

  toBottom = () => {
    if (this.box) this.box.scrollTop = this.box.scrollHeight;
  };

  onScroll = () => {
    if (!this.box) return;
    const { scrollHeight, scrollTop, clientHeight } = this.box;
    const isPinned = scrollHeight - scrollTop - clientHeight < AT_BOTTOM_PX;
    if (isPinned === this.state.isPinned) return;
    this.setState({ isPinned, seen: this.props.room.log.at(-1)?.offset ?? 0 });
    this.props.actions.reading(!isPinned);
  };

  /** @param {Room} room */
  rows({ selves, selfName, log, unsent }) {
    const sources = [selves, selfName, log, unsent];
    if (sources.some((source, index) => source !== this.memo.sources[index])) {
      this.memo = { sources, rows: rowsOf({ selves, selfName, log, unsent }) };
    }
    return this.memo.rows;
  }

  /** @param {Props} props @param {{ isPinned: boolean, seen: number }} state */
  render({ channel, room, link, actions }, { isPinned, seen }) {
    const rows = this.rows(room);
    const isConnected = link === 'connected';
    const fresh = newSince(room, seen).length;
    const { names, selves, moderates } = room;
    const shared = { isConnected, names, selves, moderates, actions };
    return html`
      <div class="timeline-frame">
        <div
          class="timeline"
          role="log"
          aria-label="Messages"
          aria-live="off"
          tabindex="0"
          ref=${(/** @type {HTMLElement | null} */ box) => (this.box = box)}
          onScroll=${this.onScroll}
        >
          <${Top} channel=${channel} room=${room} isEmpty=${rows.length === 0} actions=${actions} />
          <ol class="messages">
            ${rows.map((row) =>
              row.type === 'day'
                ? html`<${Day} key=${row.key} time=${row.time} />`
                : html`<${Message} key=${row.key} ...${{ row, ...shared }} />`,
            )}
          </ol>
        </div>
        ${
          !isPinned &&
          html`<button class="jump" onClick=${this.toBottom}>
          ${fresh > 0 ? `${fresh} new ${fresh === 1 ? 'message' : 'messages'}` : 'Jump to latest'}
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 5v14M6 13l6 6 6-6" /></svg>
        </button>`
        }
      </div>
    `;
  }
}

/** @param {{ time: number }} props */
function Day({ time }) {
  return html`<li class="day"><time datetime=${isoTime(time)}>${dayName(time)}</time></li>`;
}

/**
 * What stands above the first message.
 *
 * @param {Omit<Props, 'link'> & { isEmpty: boolean }} props
 */
function Top({ channel, room, isEmpty, actions }) {
  if (room.refusal) {
    return html`<div class="notice">
      <p role="alert">This room does not let you in: ${room.refusal}</p>
      <button onClick=${actions.enter}>Try again</button>
    </div>`;
  }
  if (!room.loaded) return html`<p class="notice">Loading messages…</p>`;
  if (hasOlder(room)) {
    const isLoading = room.older === 'loading';
    return html`<div class="notice">
      ${room.older === 'failed' && html`<p class="problem">Older messages could not be loaded.</p>`}
      <button aria-disabled=${isLoading ? 'true' : undefined} onClick=${actions.loadOlder}>
        ${isLoading ? 'Loading…' : 'Load older messages'}
      </button>
    </div>`;
  }
  if (room.floor > 1) return html`<p class="notice">Older messages are not available.</p>`;
  if (isEmpty)
    return html`<p class="notice">Nothing has been said in ${channel} yet. Say hello!</p>`;
  return html`<p class="notice">This is where ${channel} begins.</p>`;
}
