// @ts-check
/** A coloured disc with initials: a decoration, so that the eye finds who speaks. */

import { html } from './vendor/preact.js';

const TONES = 8;

/** @param {{ user: string, name: string }} props */
export function Avatar({ user, name }) {
  return html`
    <span class="avatar" data-tone=${toneOf(user)} aria-hidden="true">${initials(name)}</span>
  `;
}

/** @param {string} name */
function initials(name) {
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0] ?? '?'];
  return letters.map((word) => Array.from(word ?? '')[0]?.toUpperCase()).join('');
}

/** @param {string} user */
function toneOf(user) {
  let hash = 7;
  for (let index = 0; index < user.length; index += 1)
    hash = (hash * 31 + user.charCodeAt(index)) >>> 0;
  return hash % TONES;
}
