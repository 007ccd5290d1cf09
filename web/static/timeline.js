// @ts-check
/**
 * The messages of a room: at the bottom if the reader is there, in place while they read above.
 * More of them come by themselves as one gets near to either end of what is loaded.
 */

import { newIn } from './places.js';
import { focusOn, keepStop, onArrow } from './roving.js';
import { RowView } from './row-view.js';
import { rowsOf } from './rows.js';
import * as scroll from './scroll.js';
import { hasNewer, hasOlder } from './stream.js';
import { Bottom, Top } from './timeline-ends.js';
import { Component, html } from './vendor/preact.js';

/** @import { Place } from './places.js' */
/** @import { Room, Spot } from './room.js' */

/**
 * @typedef {object} Props
 * @property {string} channel
 * @property {string} title what the room is called
 * @property {Room} room
 * @property {Place | undefined} place
 * @property {import('./store.js').Link} link
 * @property {boolean} hidden
 * @property {import('./app.js').Actions} actions
 *
 * @typedef {{ isPinned: boolean, isGone: boolean }} State
 */

const AT_BOTTOM_PX = 40;
/** So many heights of the timeline before the end of what is loaded, more is asked for. */
const LOAD_WITHIN = 2;
const MARKED_MS = 3000;

/** @extends {Component<Props, State>} */
export class Timeline extends Component {
  /** @type {State} */
  state = { isPinned: true, isGone: false };

  /** @type {HTMLElement | null} */
  box = null;
  observer = new ResizeObserver(() => this.state.isPinned && this.toBottom());
  /** @type {Spot | null} */
  spot = null;
  /** @type {HTMLElement | null} what a jump led to, for a moment */
  marked = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  marking;
  /** @type {{ sources: unknown[], rows: ReturnType<typeof rowsOf> }} */
  memo = { sources: [], rows: [] };

  componentDidMount() {
    if (!this.box) return;
    this.observer.observe(this.box);
    const list = this.box.querySelector('.messages');
    if (list) this.observer.observe(list); // what is in a message may grow, once it is loaded
    this.toBottom();
    this.props.actions.reading(null);
    this.settle();
  }

  componentWillUnmount() {
    this.observer.disconnect();
    clearTimeout(this.marking);
  }

  /** @returns {scroll.Anchor[] | null} null at the bottom */
  getSnapshotBeforeUpdate() {
    return this.box && !this.state.isPinned ? scroll.anchorsIn(this.box) : null;
  }

  /** @param {Props} before @param {State} _state @param {scroll.Anchor[] | null} anchors */
  componentDidUpdate(before, _state, anchors) {
    const { room } = this.props;
    const hasSent = room.unsent.length > before.room.unsent.length;
    if (this.state.isPinned || (hasSent && room.atEnd)) this.toBottom();
    else if (this.box && anchors) scroll.restore(this.box, anchors);
    this.settle();
  }

  /** Shows the spot, if there is a new one, and looks what is in sight now. */
  settle() {
    if (!this.box) return;
    keepStop(this.box);
    const { spot } = this.props.room;
    if (spot && spot !== this.spot) this.show(this.box, spot);
    this.spot = spot;
    this.onScroll();
  }

  /** @param {HTMLElement} box @param {Spot} spot */
  show(box, { offset, as, isThere }) {
    const message = /** @type {HTMLElement | null} */ (
      box.querySelector(`.message[data-offset="${offset}"]`)
    );
    const line = box.querySelector('.new');
    if (as === 'end') this.toBottom();
    else if (as === 'new' && line) scroll.scrollTo(box, line, 0.25);
    else if (as === 'place' && !message) box.scrollTop = 0;
    else if (message) scroll.scrollTo(box, message, as === 'marked' ? 0.5 : 0);
    if (as !== 'marked') return;
    this.unmark();
    this.marked = message;
    if (message) {
      message.dataset.marked = '';
      focusOn(box, message);
    }
    this.marking = setTimeout(this.unmark, MARKED_MS);
    this.setState({ isGone: !isThere });
  }

  unmark = () => {
    clearTimeout(this.marking);
    delete this.marked?.dataset.marked;
    this.marked = null;
    if (this.state.isGone) this.setState({ isGone: false });
  };

  toBottom = () => {
    if (this.box) this.box.scrollTop = this.box.scrollHeight;
  };

  toLatest = () => {
    if (this.props.room.atEnd) this.toBottom();
    this.props.actions.latest();
  };

  onScroll = () => {
    if (!this.box) return;
    const { room, actions } = this.props;
    const { scrollHeight, scrollTop, clientHeight } = this.box;
    const below = scrollHeight - scrollTop - clientHeight;
    const isPinned = below < AT_BOTTOM_PX && room.atEnd;
    if (isPinned !== this.state.isPinned) this.setState({ isPinned });
    actions.reading(isPinned ? null : scroll.firstInSight(this.box));
    this.tellSeen(this.box, isPinned);
    const near = clientHeight * LOAD_WITHIN;
    if (scrollTop < near && hasOlder(room) && room.older === '') actions.loadOlder();
    if (below < near && hasNewer(room) && room.newer === '') actions.loadNewer();
  };

  /** @param {HTMLElement} box @param {boolean} isPinned */
  tellSeen(box, isPinned) {
    const { channel, room, place, hidden, actions } = this.props;
    if (hidden || !room.loaded || !room.synced) return;
    // Who looks at something old of a room they do not know has not read what comes before.
    if (!isPinned && !place) return;
    const offset = isPinned ? room.position : scroll.lastSeen(box);
    if (offset) actions.seen(channel, offset);
  }

  /** @param {KeyboardEvent} event */
  onKeyDown = (event) => {
    if (!this.box || event.altKey || event.ctrlKey || event.metaKey) return;
    onArrow(this.box, event);
    const isInTimeline = event.target === this.box || this.isMessage(event.target);
    if (!isInTimeline || (event.key !== 'Home' && event.key !== 'End')) return;
    event.preventDefault();
    if (event.key === 'Home') this.props.actions.first();
    else this.toLatest();
  };

  /** The arrow keys go on from the message that was clicked. @param {FocusEvent} event */
  onFocusIn = (event) => {
    const { target } = event;
    if (!this.box || !(target instanceof HTMLElement) || !this.isMessage(target)) return;
    focusOn(this.box, target);
  };

  /** @param {EventTarget | null} target */
  isMessage(target) {
    return target instanceof Element && target.matches('.message');
  }

  /** @param {Room} room */
  rows(room) {
    const { selves, selfName, log, unsent, atEnd, divider, changes, quotes } = room;
    const sources = [selves, selfName, log, unsent, atEnd, divider, changes, quotes];
    if (sources.some((source, index) => source !== this.memo.sources[index])) {
      this.memo = { sources, rows: rowsOf(room) };
    }
    return this.memo.rows;
  }

  /** @param {Props} props @param {State} state */
  render({ channel, title, room, place, link, actions }, { isPinned, isGone }) {
    const rows = this.rows(room);
    const isConnected = link === 'connected';
    const fresh = newIn(place);
    const { names, selves, moderates } = room;
    const shared = { channel, isConnected, names, selves, moderates, actions };
    return html`
      <div class="timeline-frame">
        <div
          class="timeline"
          role="log"
          aria-label="Messages"
          aria-live="off"
          tabindex=${rows.length > 0 ? -1 : 0}
          ref=${(/** @type {HTMLElement | null} */ box) => (this.box = box)}
          onScroll=${this.onScroll}
          onKeyDown=${this.onKeyDown}
          onFocusIn=${this.onFocusIn}
        >
          <${Top} ...${{ channel, title, room, actions }} isEmpty=${rows.length === 0} />
          <ol class="messages">
            ${rows.map((row) => html`<${RowView} key=${row.key} ...${{ row, ...shared }} />`)}
          </ol>
          <${Bottom} room=${room} actions=${actions} />
        </div>
        ${isGone && html`<p class="gone" role="status">This message is not there any more</p>`}
        ${
          !isPinned &&
          html`<button class="jump" onClick=${this.toLatest}>
          ${fresh > 0 ? `Jump to latest (${fresh} new)` : 'Jump to latest'}
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 5v14M6 13l6 6 6-6" /></svg>
        </button>`
        }
      </div>
    `;
  }
}
