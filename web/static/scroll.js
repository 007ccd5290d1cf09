// @ts-check
/** Where the messages of a timeline are, in pixels. They stand one below the other, so one can search by halves. */

/**
 * Keeps a message in its place while others come and go: by its lower edge, since its upper part,
 * the author, depends on the message before.
 *
 * @typedef {{ element: Element, bottom: number }} Anchor
 */

/** @param {Element} box */
export function messagesIn(box) {
  return [...box.querySelectorAll('.message')];
}

/** The messages in sight, and where they are. @param {Element} box @returns {Anchor[]} */
export function anchorsIn(box) {
  const edge = box.getBoundingClientRect();
  const messages = messagesIn(box);
  const anchors = [];
  for (const element of messages.slice(firstBelow(messages, edge.top))) {
    const { top, bottom } = element.getBoundingClientRect();
    if (top >= edge.bottom) break;
    anchors.push({ element, bottom });
  }
  return anchors;
}

/**
 * Scrolls so that the first one that is still there is where it was.
 *
 * @param {Element} box
 * @param {readonly Anchor[]} anchors
 */
export function restore(box, anchors) {
  // Others may be gone: the log was reloaded, and does not reach as far as before.
  const anchor = anchors.find(({ element }) => element.isConnected);
  if (!anchor) return;
  const moved = anchor.element.getBoundingClientRect().bottom - anchor.bottom;
  if (moved !== 0) box.scrollTop += moved;
}

/** The offset of the first message in sight. @param {Element} box @returns {number | null} */
export function firstInSight(box) {
  const messages = messagesIn(box);
  const element = messages[firstBelow(messages, box.getBoundingClientRect().top)];
  return offsetOf(element);
}

/** The offset of the last message that is wholly in sight, or above. @param {Element} box @returns {number | null} */
export function lastSeen(box) {
  const messages = messagesIn(box);
  const edge = box.getBoundingClientRect().bottom + 1;
  return offsetOf(messages[firstBelow(messages, edge) - 1]);
}

/** @param {Element} box @param {Element} element @param {number} share of the height that is to be above it */
export function scrollTo(box, element, share) {
  const edge = box.getBoundingClientRect();
  const { top, height } = element.getBoundingClientRect();
  const room = Math.max(0, edge.height - height);
  box.scrollTop += top - edge.top - room * share;
}

/** The index of the first message whose lower edge is below. @param {readonly Element[]} messages @param {number} y */
function firstBelow(messages, y) {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.getBoundingClientRect().bottom ?? 0) <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {Element | undefined} element */
function offsetOf(element) {
  return Number(/** @type {HTMLElement | undefined} */ (element)?.dataset.offset) || null;
}
