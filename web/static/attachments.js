// @ts-check
/**
 * What the files of a message look like: an image small, and whole in a dialog; all else as a link.
 * The server says with each file whether it may be shown; what is told here is only what we draw.
 */

import { useFileKey } from './file-key.js';
import { backoffMs } from './retry.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/**
 * @typedef {object} Attachment
 * @property {string} id
 * @property {string} name
 * @property {number} size
 * @property {number} width 0 for what is not shown as an image
 * @property {number} height
 */

const MOST = 10;
const MOST_ATTEMPTS = 4;
const LARGEST_SIDE = 65_535;
const BOX = { width: 320, height: 240 };
const ID = /^[\w-]{1,64}$/;
const UNITS = ['bytes', 'KB', 'MB', 'GB'];

/**
 * The files in the data of a message, which anybody may have published: nothing is trusted.
 *
 * @param {any} data
 * @returns {readonly Attachment[]}
 */
export function filesOf(data) {
  if (data?.type !== 'message' || !Array.isArray(data.files)) return [];
  return data.files.slice(0, MOST).filter(isFile).map(attachmentOf);
}

/** @param {any} file */
function isFile(file) {
  if (typeof file?.id !== 'string' || !ID.test(file.id)) return false;
  return typeof file.name === 'string' && Number.isSafeInteger(file.size) && file.size >= 0;
}

/** What the server says of a file. @param {any} file @returns {Attachment} */
export function attachmentOf({ id, name, size, width, height, thumb }) {
  const isShown = thumb === true && isSide(width) && isSide(height);
  return { id, name, size, width: isShown ? width : 0, height: isShown ? height : 0 };
}

/** @param {unknown} value */
function isSide(value) {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= LARGEST_SIDE;
}

/** How large an image stands in the timeline: as it is, or as fits. @param {Attachment} file */
export function boxOf({ width, height }) {
  const scale = Math.min(1, BOX.width / width, BOX.height / height);
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** @param {number} bytes */
export function sizeName(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** @param {string} id @param {string} key */
export function urlOf(id, key, path = '') {
  return `/files/${encodeURIComponent(id)}${path}?key=${encodeURIComponent(key)}`;
}

/** @param {{ files: readonly Attachment[], actions: import('./app.js').Actions }} props */
export function Attachments({ files, actions }) {
  const key = useFileKey(actions.fileKey)?.key ?? '';
  return html`
    <ul class="attachments" aria-label="Files">
      ${files.map(
        (file) => html`<li key=${file.id}>
          ${
            file.width > 0
              ? html`<${Picture} file=${file} fileKey=${key} />`
              : html`<${Saved} file=${file} fileKey=${key} />`
          }
        </li>`,
      )}
    </ul>
  `;
}

/** @param {{ file: Attachment, fileKey: string }} props */
function Picture({ file, fileKey }) {
  const [isOpen, setOpen] = useState(false);
  const [attempt, setAttempt] = useState(1);
  const whole = fileKey && urlOf(file.id, fileKey);
  const { width, height } = boxOf(file);
  /** @param {MouseEvent} event */
  const onClick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in a tab of its own
    event.preventDefault();
    if (whole) setOpen(true);
  };
  // The server may be busy. Another address, or the browser would not ask again.
  const again = attempt > 1 ? `&attempt=${attempt}` : '';
  const onError = () => {
    if (attempt < MOST_ATTEMPTS) setTimeout(() => setAttempt(attempt + 1), backoffMs(attempt + 2));
  };
  return html`
    <a class="picture" href=${whole || undefined} onClick=${onClick}>
      <img
        src=${fileKey ? urlOf(file.id, fileKey, '/thumb') + again : undefined}
        alt=${file.name}
        title=${file.name}
        width=${width}
        height=${height}
        decoding="async"
        onError=${onError}
      />
    </a>
    ${isOpen && html`<${FullView} file=${file} url=${whole} onClose=${() => setOpen(false)} />`}
  `;
}

/** @param {{ file: Attachment, url: string, onClose: () => void }} props */
function FullView({ file, url, onClose }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => dialog.current?.showModal(), []);
  /** @param {MouseEvent} event */
  const onClick = (event) => {
    const { target } = event;
    if (target === dialog.current || target instanceof HTMLImageElement) dialog.current?.close();
  };
  return html`
    <dialog class="full-view" ref=${dialog} aria-label=${file.name} onClick=${onClick} onClose=${onClose}>
      <img src=${url} alt=${file.name} width=${file.width} height=${file.height} />
      <form method="dialog">
        <bdi class="file-name">${file.name}</bdi>
        <span class="muted small">${sizeName(file.size)}</span>
        <button class="quiet">Close</button>
      </form>
    </dialog>
  `;
}

/** @param {{ file: Attachment, fileKey: string }} props */
function Saved({ file, fileKey }) {
  // The server sends what is not an image to be saved, under the name that it was brought with.
  return html`
    <a class="saved" href=${fileKey ? urlOf(file.id, fileKey) : undefined}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 4v11M7 11l5 5 5-5M5 20h14" />
      </svg>
      <bdi class="file-name">${file.name}</bdi>
      <span class="muted small">${sizeName(file.size)}</span>
    </a>
  `;
}
