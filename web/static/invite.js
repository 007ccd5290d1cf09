// @ts-check
/** Lets people into a private room. */

import { Dialog, FormEnd } from './dialog.js';
import { others, PeoplePicker } from './people-picker.js';
import { titleIn } from './titles.js';
import { html, useState } from './vendor/preact.js';

/** @import { DialogProps } from './dialogs.js' */

const MOST_AT_ONCE = 50;

/** @type {ReadonlySet<string>} */
const NOBODY = new Set();

/** @param {DialogProps & { channel: string }} props */
export function Invite({ state, actions, channel, onClose }) {
  const [picked, setPicked] = useState(NOBODY);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const presence = state.rooms.get(channel)?.presence;
  const inside = [...(presence?.belonging.keys() ?? []), state.self?.user ?? ''];

  /** @param {SubmitEvent} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    if (isBusy || picked.size === 0) return;
    setBusy(true);
    const left = new Set(picked);
    let wrong = '';
    for (const user of picked) {
      wrong = (await actions.ask('invite', { channel, user })).problem;
      if (wrong) break;
      left.delete(user);
      actions.lookAgain();
    }
    setBusy(false);
    setPicked(left);
    setProblem(wrong);
    if (!wrong) onClose();
  };

  return html`
    <${Dialog} title=${`Invite people to ${titleIn(state, channel)}`} onClose=${onClose}>
      <form class="stack" onSubmit=${onSubmit}>
        <${PeoplePicker}
          people=${others(state.people, inside)}
          picked=${picked}
          most=${MOST_AT_ONCE}
          onPick=${setPicked}
        />
        <${FormEnd}
          what=${picked.size > 1 ? `Invite ${picked.size} people` : 'Invite'}
          isBusy=${isBusy || picked.size === 0}
          problem=${problem}
          onCancel=${onClose}
        />
      </form>
    <//>
  `;
}
