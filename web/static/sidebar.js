// @ts-check
/** The side panel: rooms, people, and who one is. */

import { Avatar } from './avatar.js';
import { LOGO } from './logo.js';
import { People } from './people.js';
import { Rooms } from './rooms.js';
import { html } from './vendor/preact.js';

/**
 * @typedef {object} Props
 * @property {import('./store.js').State} state
 * @property {import('./room.js').Room | undefined} room
 * @property {import('./app.js').Actions} actions
 */

/** @param {Props} props */
export function Sidebar({ state, room, actions }) {
  return html`
    <div class="sidebar">
      <p class="brand"><img src=${LOGO} alt="" width="28" height="28" /> Parley</p>
      <${Rooms} state=${state} onGo=${actions.go} />
      ${
        room &&
        !room.refusal &&
        html`<${People}
          presence=${room.presence}
          selves=${room.selves}
          moderates=${room.moderates}
          actions=${actions}
        />`
      }
      <div class="self">
        <${Avatar} user=${state.self?.user ?? ''} name=${state.name} />
        <p class="self-name">
          <span class="visually-hidden">You are </span><b><bdi>${state.name}</bdi></b>
        </p>
        <button class="quiet" onClick=${actions.changeName}>Change name</button>
      </div>
    </div>
  `;
}
