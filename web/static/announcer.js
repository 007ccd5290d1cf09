// @ts-check
/**
 * Reads new messages of others to a screen reader, author and text first. The timeline itself is
 * silent: in a live region, loading older messages would read all of them.
 */

import { filesOf } from './attachments.js';
import { newSince } from './stream.js';
import { html, useEffect, useState } from './vendor/preact.js';

/** @typedef {{ key: number, text: string }} Line `key`: its offset. The same line is the same node, and read once */

const MOST_READ = 3;

/** @param {{ room: import('./room.js').Room }} props */
export function Announcer({ room }) {
  const { loaded, position: last } = room; // what is loaded of the past is no news
  const [heard, setHeard] = useState(/** @type {number | null} */ (null));
  const [lines, setLines] = useState(/** @type {Line[]} */ ([]));

  useEffect(() => {
    if (!loaded) return;
    if (heard !== null) {
      const fresh = newSince(room, heard);
      const many = fresh.length > MOST_READ;
      if (fresh.length > 0) {
        setLines(
          many
            ? [{ key: last, text: `${fresh.length} new messages` }]
            : fresh.map(({ offset, name, text, data }) => ({
                key: offset,
                text: `${name}: ${text} ${fileNames(data)}`.trim(),
              })),
        );
      }
    }
    setHeard(last);
  }, [last, loaded]);

  return html`
    <div class="visually-hidden" aria-live="polite">
      ${lines.map(({ key, text }) => html`<p key=${key}>${text}</p>`)}
    </div>
  `;
}

/** @param {any} data */
function fileNames(data) {
  return filesOf(data)
    .map(({ name }) => name)
    .join(', ');
}
