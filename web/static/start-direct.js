// @ts-check
/** Starts a direct conversation with one or several people, or goes to the one there is. */

import { directChannel, MOST_USERS } from './channels.js';
import { Dialog, FormEnd } from './dialog.js';
import { others, PeoplePicker } from './people-picker.js';
import { html, useState } from './vendor/preact.js';

/** @import { DialogProps } from './dialogs.js' */

/** @type {ReadonlySet<string>} */
const NOBODY = new Set();

/** @param {DialogProps} props */
export function StartDirect({ state, actions, onClose }) {
  const [picked, setPicked] = useState(NOBODY);
  const self = state.self?.user ?? '';

  /** @param {SubmitEvent} event */
  const onSubmit = (event) => {
    event.preventDefault();
    const channel = directChannel([self, ...picked]);
    if (channel === null) return;
    onClose();
    actions.go(channel);
  };

  return html`
    <${Dialog} title="New direct message" onClose=${onClose}>
      <form class="stack" onSubmit=${onSubmit}>
        <${PeoplePicker}
          people=${others(state.people, state.self ? [self] : [])}
          picked=${picked}
          most=${MOST_USERS - 1}
          onPick=${setPicked}
        />
        <${FormEnd}
          what=${picked.size > 1 ? `Write to ${picked.size} people` : 'Write'}
          isBusy=${picked.size === 0}
          onCancel=${onClose}
        />
      </form>
    <//>
  `;
}
