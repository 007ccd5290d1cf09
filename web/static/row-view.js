// @ts-check
/**
 * A row of the timeline, drawn again only when something about it changed: of hundreds, most are
 * the same when one more comes.
 */

import { dayName, isoTime } from './dates.js';
import { Message } from './message.js';
import { Component, html } from './vendor/preact.js';

/** @import { Row } from './rows.js' */
/** @typedef {Omit<import('./message.js').Props, 'row'> & { row: Row }} Props */

/** @extends {Component<Props>} */
export class RowView extends Component {
  /** @param {Props} next */
  shouldComponentUpdate({ row, ...shared }) {
    const { row: before, ...sharedBefore } = this.props;
    return !isSame(row, before) || !isSame(shared, sharedBefore);
  }

  /**
   * htm keeps what is the same at each call of a template, and with it the tree in which Preact
   * used it first. From there each row that was in that tree leads, by what Preact notes of its
   * virtual nodes (`__v` the component's, `__k` children, `__` parent), to the tree in which it was
   * last; and so on through all that was ever scrolled through, 5 KB a message. Here the chain is
   * cut; tests/e2e/test_page_reading.py counts the nodes that are left.
   */
  componentWillUnmount() {
    const inside = /** @type {{ __v: { __k: ({ __: unknown } | null)[] | null } | null }} */ (
      /** @type {unknown} */ (this)
    );
    for (const child of inside.__v?.__k ?? []) if (child) child.__ = null;
    inside.__v = null;
  }

  /** @param {Props} props */
  render({ row, ...shared }) {
    if (row.type === 'message') return html`<${Message} ...${{ row, ...shared }} />`;
    if (row.type === 'new') return html`<li class="new"><span>New</span></li>`;
    return html`<li class="day">
      <time datetime=${isoTime(row.time)}>${dayName(row.time)}</time>
    </li>`;
  }
}

/** @param {Record<string, any>} one @param {Record<string, any>} other */
function isSame(one, other) {
  for (const name in one) if (one[name] !== other[name]) return false;
  return true;
}
