// @ts-check
/**
 * The files that somebody is about to send: pure functions of the list of them, and what brings
 * them to the server, a few at a time. A list stays with its room, as a draft does.
 */

import { attachmentOf, sizeName } from './attachments.js';

/** @import { Attachment } from './attachments.js' */
/** @import { FileKey } from './file-key.js' */

/**
 * @typedef {object} Upload
 * @property {number} id
 * @property {File} source
 * @property {'waiting' | 'uploading' | 'done' | 'failed'} state
 * @property {number} sent the part of it that has gone, from 0 to 1
 * @property {string} problem why it failed
 * @property {boolean} isHopeless trying again would not help
 * @property {Attachment | null} file what it became
 *
 * @typedef {readonly Upload[]} Uploads
 */

export const MOST_FILES = 10;
export const AT_ONCE = 3;

/** @type {ReadonlyMap<number, string>} what a status means to a person */
const WORDS = new Map([
  [403, 'you may not bring files here'],
  [408, 'it took too long'],
  [413, 'it is too large'],
  [507, 'the server has no room for more files'],
]);
const HOPELESS = [403, 413];

/**
 * @param {Uploads} uploads
 * @param {readonly File[]} sources
 * @param {number} firstId
 * @param {number} maxBytes
 * @returns {Uploads}
 */
export function added(uploads, sources, firstId, maxBytes) {
  const next = sources.slice(0, MOST_FILES - uploads.length).map((source, index) => {
    const tooLarge = source.size > maxBytes;
    const isHopeless = tooLarge || source.size === 0;
    const problem = tooLarge ? `larger than ${sizeName(maxBytes)}` : 'it is empty';
    return {
      id: firstId + index,
      source,
      state: /** @type {Upload['state']} */ (isHopeless ? 'failed' : 'waiting'),
      sent: 0,
      problem: isHopeless ? problem : '',
      isHopeless,
      file: null,
    };
  });
  return [...uploads, ...next];
}

/**
 * @param {Uploads} uploads
 * @param {number} id
 * @param {Partial<Upload>} change
 * @returns {Uploads}
 */
export function changed(uploads, id, change) {
  return uploads.map((upload) => (upload.id === id ? { ...upload, ...change } : upload));
}

/** @param {Uploads} uploads @param {number} id @returns {Uploads} */
export function without(uploads, id) {
  return uploads.filter((upload) => upload.id !== id);
}

/** Those that may begin now. @param {Uploads} uploads */
export function due(uploads) {
  const running = uploads.filter(({ state }) => state === 'uploading').length;
  return uploads.filter(({ state }) => state === 'waiting').slice(0, AT_ONCE - running);
}

/** Whether some are on their way. @param {Uploads} uploads */
export function isBusy(uploads) {
  return uploads.some(({ state }) => state === 'waiting' || state === 'uploading');
}

/** Whether all that was chosen can be sent. @param {Uploads} uploads */
export function isReady(uploads) {
  return uploads.every(({ state }) => state === 'done');
}

/** @param {Uploads} uploads @returns {readonly Attachment[]} */
export function attachments(uploads) {
  return uploads.flatMap(({ file }) => (file ? [file] : []));
}

/**
 * @typedef {object} Sending one upload on its way
 * @property {Promise<{ status: number, body: any }>} answer rejects if there is none
 * @property {() => void} cancel
 *
 * @typedef {(key: string, source: File, onProgress: (part: number) => void) => Sending} Post
 */

/** Brings the files of one list. */
export class Uploader {
  /** @type {Uploads} */
  list = [];
  #fileKey;
  #post;
  #nextId = 1;
  /** @type {Map<number, () => void>} */
  #cancels = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /**
   * @param {() => Promise<FileKey>} fileKey
   * @param {Post} [post]
   */
  constructor(fileKey, post = postByXhr) {
    this.#fileKey = fileKey;
    this.#post = post;
  }

  /** @param {() => void} listener @returns {() => void} what ends it */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {readonly File[]} sources @param {number} maxBytes */
  add(sources, maxBytes) {
    const before = this.list.length;
    this.#set(added(this.list, sources, this.#nextId, maxBytes));
    this.#nextId += this.list.length - before;
  }

  /** @param {number} id */
  retry(id) {
    this.#set(changed(this.list, id, { state: 'waiting', sent: 0, problem: '' }));
  }

  /** @param {number} id */
  remove(id) {
    this.#set(without(this.list, id));
    this.#cancels.get(id)?.();
  }

  /** Returns the files that are there, and begins anew. */
  take() {
    const files = attachments(this.list);
    for (const { id } of this.list) this.#cancels.get(id)?.();
    this.#set([]);
    return files;
  }

  /** @param {Uploads} list */
  #set(list) {
    this.list = list;
    for (const { id, source } of due(list)) {
      this.list = changed(this.list, id, { state: 'uploading' });
      this.#bring(id, source);
    }
    for (const listener of this.#listeners) listener();
  }

  /** @param {number} id @param {Partial<Upload>} change */
  #change(id, change) {
    this.#set(changed(this.list, id, change));
  }

  /** @param {number} id @param {File} source */
  async #bring(id, source) {
    try {
      const { key } = await this.#fileKey();
      if (!this.list.some((upload) => upload.id === id)) return; // removed meanwhile
      const onProgress = (/** @type {number} */ sent) => this.#change(id, { sent });
      const { answer, cancel } = this.#post(key, source, onProgress);
      this.#cancels.set(id, cancel);
      this.#change(id, outcome(await answer));
    } catch {
      this.#change(id, { state: 'failed', problem: 'the server could not be reached' });
    } finally {
      this.#cancels.delete(id);
    }
  }
}

/** @param {{ status: number, body: any }} answer @returns {Partial<Upload>} */
function outcome({ status, body }) {
  if (status === 201 && typeof body?.id === 'string') {
    return { state: 'done', sent: 1, file: attachmentOf(body) };
  }
  const problem = WORDS.get(status) ?? body?.error?.message ?? `the server answered ${status}`;
  return { state: 'failed', problem, isHopeless: HOPELESS.includes(status) };
}

/** `fetch` tells no progress of what it sends. @type {Post} */
function postByXhr(key, source, onProgress) {
  const xhr = new XMLHttpRequest();
  const answer = new Promise((resolve, reject) => {
    xhr.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    xhr.onload = () => resolve({ status: xhr.status, body: xhr.response });
    xhr.onerror = () => reject(new Error('no answer'));
    xhr.onabort = () => reject(new Error('cancelled'));
    xhr.responseType = 'json';
    const query = new URLSearchParams({ key, name: source.name });
    xhr.open('POST', `/files?${query}`);
    // As bytes: a type would be taken from the name, and the server looks for itself.
    xhr.setRequestHeader('Content-Type', 'application/octet-stream');
    xhr.send(source);
  });
  return { answer, cancel: () => xhr.abort() };
}
