// @ts-check
/** The dialog that is open: one at a time. */

import { BrowseRooms } from './browse-rooms.js';
import { Help } from './help.js';
import { Invite } from './invite.js';
import { Moderate } from './moderate.js';
import { Record } from './record.js';
import { ChangeTopic, CreatePrivate, LeavePrivate } from './room-forms.js';
import { StartDirect } from './start-direct.js';
import { Switcher } from './switcher.js';
import { html } from './vendor/preact.js';

/**
 * @typedef {{ type: 'browse' | 'create' | 'direct' | 'switch' | 'help' }
 *   | { type: 'topic' | 'leave' | 'invite' | 'record', channel: string }
 *   | { type: 'moderate', channel: string, user: string, name: string }} Wanted
 *
 * @typedef {(dialog: Wanted) => void} Open
 *
 * @typedef {object} DialogProps
 * @property {import('./store.js').State} state
 * @property {import('./app.js').Actions} actions
 * @property {() => void} onClose
 */

const DIALOGS = {
  browse: BrowseRooms,
  create: CreatePrivate,
  direct: StartDirect,
  switch: Switcher,
  help: Help,
  topic: ChangeTopic,
  leave: LeavePrivate,
  invite: Invite,
  record: Record,
  moderate: Moderate,
};

/** @param {DialogProps & { wanted: Wanted | null }} props */
export function Dialogs({ wanted, state, actions, onClose }) {
  if (!wanted) return null;
  const { type, ...fields } = wanted;
  return html`<${DIALOGS[type]} key=${type} ...${{ state, actions, onClose, ...fields }} />`;
}
