// @ts-check
/** Where files are chosen, dropped and pasted, and seen on their way. */

import { sizeName } from './attachments.js';
import { useFileKey } from './file-key.js';
import { isBusy, isReady, Uploader } from './uploads.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/** @import { Upload } from './uploads.js' */

/** @type {Map<string, Uploader>} by channel */
const uploaders = new Map();

/**
 * The uploads of a room's composer: what they are, and what to do with them.
 *
 * @param {string} channel
 * @param {import('./app.js').Actions} actions
 */
export function useUploads(channel, actions) {
  const key = useFileKey(actions.fileKey);
  const [, redraw] = useState(0);
  let found = uploaders.get(channel);
  if (!found) {
    found = new Uploader(actions.fileKey);
    uploaders.set(channel, found);
  }
  const uploader = found;
  useEffect(() => uploader.listen(() => redraw((count) => count + 1)), [uploader]);

  const mayUpload = key?.upload ?? false;
  /** @param {Iterable<File>} files */
  const add = (files) => mayUpload && uploader.add([...files], key?.maxBytes ?? 0);
  useDrop(mayUpload, add);
  return {
    uploader,
    mayUpload,
    add,
    count: uploader.list.length,
    isBusy: isBusy(uploader.list),
    isReady: isReady(uploader.list),
    /** @param {ClipboardEvent} event */
    onPaste(event) {
      const files = event.clipboardData?.files;
      // What is copied out of an office document comes as text and as a picture of it.
      if (!files?.length || !mayUpload || event.clipboardData?.types.includes('text/plain')) return;
      event.preventDefault();
      add(files);
    },
  };
}

/**
 * Files may be dropped anywhere in the room. Elsewhere on the page they do nothing, rather than take
 * its place.
 *
 * @param {boolean} isOn
 * @param {(files: FileList) => void} add
 */
function useDrop(isOn, add) {
  const latest = useRef(add);
  latest.current = add;
  useEffect(() => {
    if (!isOn) return;
    const { body } = document;
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files');
    /** @param {DragEvent} event */
    const onDragOver = (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      body.classList.toggle('dropping', isInRoom(event));
      if (event.dataTransfer) event.dataTransfer.dropEffect = isInRoom(event) ? 'copy' : 'none';
    };
    /** @param {DragEvent} event */
    const onDragLeave = (event) => {
      if (!event.relatedTarget) body.classList.remove('dropping');
    };
    /** @param {DragEvent} event */
    const onDrop = (event) => {
      body.classList.remove('dropping');
      if (!hasFiles(event)) return;
      event.preventDefault();
      if (isInRoom(event) && event.dataTransfer) latest.current(event.dataTransfer.files);
    };
    addEventListener('dragover', onDragOver);
    addEventListener('dragleave', onDragLeave);
    addEventListener('drop', onDrop);
    return () => {
      body.classList.remove('dropping');
      removeEventListener('dragover', onDragOver);
      removeEventListener('dragleave', onDragLeave);
      removeEventListener('drop', onDrop);
    };
  }, [isOn]);
}

/** @param {DragEvent} event */
function isInRoom({ target }) {
  return target instanceof Element && target.closest('.room') !== null;
}

/** @param {{ add: (files: Iterable<File>) => void }} props */
export function AttachButton({ add }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const onChange = () => {
    const { current } = input;
    if (!current?.files) return;
    add([...current.files]);
    current.value = ''; // so that the same file can be chosen again
  };
  return html`
    <input
      ref=${input}
      type="file"
      multiple
      hidden
      tabindex="-1"
      aria-label="Files to send"
      onChange=${onChange}
    />
    <button
      type="button"
      class="icon attach"
      aria-label="Attach files"
      title="Attach files"
      onClick=${() => input.current?.click()}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7L9.5 17a1.7 1.7 0 0 1-2.4-2.4L14.5 7" />
      </svg>
    </button>
  `;
}

/** @param {{ uploader: Uploader, isAwaited: boolean }} props */
export function UploadList({ uploader, isAwaited }) {
  return html`
    <ul class="uploads" aria-label="Files to send">
      ${uploader.list.map(
        (upload) => html`<${Row} key=${upload.id} upload=${upload} uploader=${uploader} />`,
      )}
    </ul>
    ${isAwaited && html`<p class="muted small" role="status">Sends as soon as the files are there</p>`}
  `;
}

/** @param {{ upload: Upload, uploader: Uploader }} props */
function Row({ upload, uploader }) {
  const { id, source, state, sent, problem, isHopeless } = upload;
  const isOnItsWay = state === 'waiting' || state === 'uploading';
  return html`
    <li data-state=${state}>
      <bdi class="file-name">${source.name}</bdi>
      <span class="muted small">${sizeName(source.size)}</span>
      ${isOnItsWay && html`<progress aria-label="Uploading ${source.name}" max="1" value=${sent}></progress>`}
      ${state === 'failed' && html`<span class="problem small" role="alert">Not uploaded: ${problem}</span>`}
      ${
        state === 'failed' &&
        !isHopeless &&
        html`<button type="button" class="quiet" onClick=${() => uploader.retry(id)}>Retry</button>`
      }
      <button
        type="button"
        class="quiet"
        aria-label="${isOnItsWay ? 'Cancel' : 'Remove'} ${source.name}"
        onClick=${() => uploader.remove(id)}
      >
        ${isOnItsWay ? 'Cancel' : 'Remove'}
      </button>
    </li>
  `;
}
