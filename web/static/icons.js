// @ts-check
/** The icons, drawn in lines; decorations, so what they stand for is said beside or by a label. */

import { html } from './vendor/preact.js';

const PATHS = {
  menu: 'M4 6h16M4 12h16M4 18h16',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM16 16l4.5 4.5',
  people:
    'M9 5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7zM2.5 20c.4-3.6 2.9-5.5 6.5-5.5s6.1 1.9 6.5 5.5M16 5.3a3.3 3.3 0 0 1 0 6.4M18 14.9c2 .7 3.2 2.4 3.5 5.1',
  hash: 'M9.5 4L7.5 20M16.5 4L14.5 20M4.5 9h16M3.5 15h16',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  person: 'M12 4.5a3.7 3.7 0 1 0 0 7.4a3.7 3.7 0 0 0 0-7.4zM4.8 20c.5-3.7 3.3-5.6 7.2-5.6s6.7 1.9 7.2 5.6',
  mail: 'M4 6h16v12H4zM4 7l8 6 8-6',
  loud: 'M4 9v6h4l5 4V5L8 9zM16.5 9a4 4 0 0 1 0 6',
  muted: 'M4 9v6h4l5 4V5L8 9zM16 9.5l5 5M21 9.5l-5 5',
};

/** @typedef {keyof typeof PATHS} IconName */

/** @param {{ name: IconName }} props */
export function Icon({ name }) {
  return html`<svg viewBox="0 0 24 24" aria-hidden="true" data-icon=${name}>
    <path d=${PATHS[name]} />
  </svg>`;
}

/** @type {Record<import('./channels.js').Kind, IconName>} */
const KINDS = { public: 'hash', private: 'lock', direct: 'person' };

/** What kind of room it is. @param {{ kind: import('./channels.js').Kind }} props */
export function KindIcon({ kind }) {
  return html`<span class="kind"><${Icon} name=${KINDS[kind]} /></span>`;
}
