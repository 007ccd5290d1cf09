// @ts-check
/** Small dialogs about one room: make a private one, say what it is about, leave it. */

import { isRoomName, privateChannel, roomNameFrom } from './channels.js';
import { Dialog, FormEnd } from './dialog.js';
import { topicOf } from './sections.js';
import { titleIn } from './titles.js';
import { html, useState } from './vendor/preact.js';

/** @import { DialogProps } from './dialogs.js' */

export const LONGEST_TOPIC = 250;
export const NAME_RULE = 'Up to 64 letters, digits, dots, dashes and underscores';

/**
 * What a form in a dialog needs: it is sent once, stays open with what went wrong, closes if
 * nothing did.
 *
 * @param {() => void} onClose
 * @param {(fields: FormData) => Promise<string> | string} send returns what went wrong
 */
export function useForm(onClose, send) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  /** @param {SubmitEvent} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    if (isBusy) return;
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    setBusy(true);
    const wrong = await send(new FormData(form));
    setBusy(false);
    setProblem(wrong);
    if (!wrong) onClose();
  };
  return { problem, isBusy, onSubmit };
}

/** @param {FormData} fields @param {string} name */
export function textOf(fields, name) {
  return String(fields.get(name) ?? '').trim();
}

/** @param {DialogProps} props */
export function CreatePrivate({ actions, onClose }) {
  const form = useForm(onClose, async (fields) => {
    const name = roomNameFrom(textOf(fields, 'name'));
    if (!isRoomName(name)) return NAME_RULE;
    const topic = textOf(fields, 'topic');
    const channel = privateChannel(name);
    const { problem } = await actions.ask('create', { channel, ...(topic && { topic }) });
    if (!problem) actions.go(channel);
    return problem;
  });
  return html`
    <${Dialog} title="New private room" onClose=${onClose}>
      <form class="stack" onSubmit=${form.onSubmit}>
        <p class="muted small">Only those whom a member invites can find it, enter it and read in it.</p>
        <${Field} label="Name" name="name" hint=${NAME_RULE} isRequired isFirst />
        <${Field} label="Topic (optional)" name="topic" most=${LONGEST_TOPIC} />
        <${FormEnd} what="Make the room" ...${form} onCancel=${onClose} />
      </form>
    <//>
  `;
}

/** @param {DialogProps & { channel: string }} props */
export function ChangeTopic({ state, actions, channel, onClose }) {
  const form = useForm(onClose, async (fields) => {
    const topic = textOf(fields, 'topic');
    if (topic === topicOf(state, channel)) return '';
    return (await actions.ask('topic', { channel, topic })).problem;
  });
  return html`
    <${Dialog} title=${`Topic of ${titleIn(state, channel)}`} onClose=${onClose}>
      <form class="stack" onSubmit=${form.onSubmit}>
        <${Field}
          label="What the room is about"
          name="topic"
          value=${topicOf(state, channel)}
          most=${LONGEST_TOPIC}
          isFirst
        />
        <${FormEnd} what="Save" ...${form} onCancel=${onClose} />
      </form>
    <//>
  `;
}

/** @param {DialogProps & { channel: string }} props */
export function LeavePrivate({ state, actions, channel, onClose }) {
  const form = useForm(onClose, () => actions.leave(channel));
  const title = titleIn(state, channel);
  return html`
    <${Dialog} title=${`Leave ${title}?`} onClose=${onClose}>
      <form class="stack" onSubmit=${form.onSubmit}>
        <p>
          You cannot read <bdi>${title}</bdi> any more then, or come back, unless a member invites
          you again.
        </p>
        <${FormEnd} what="Leave" isDanger ...${form} onCancel=${onClose} />
      </form>
    <//>
  `;
}

/**
 * A labelled field.
 *
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.name
 * @param {string} [props.value]
 * @param {string} [props.hint]
 * @param {number} [props.most] characters
 * @param {boolean} [props.isRequired]
 * @param {boolean} [props.isFirst] whether the focus begins there
 */
export function Field({ label, name, value = '', hint = '', most, isRequired = false, isFirst = false }) {
  const id = `field-${name}`;
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <input
        id=${id}
        name=${name}
        defaultValue=${value}
        maxlength=${most}
        required=${isRequired}
        autofocus=${isFirst}
        autocomplete="off"
        autocapitalize=${name === 'name' ? 'none' : undefined}
        aria-describedby=${hint ? `${id}-hint` : undefined}
      />
      ${hint && html`<p id="${id}-hint" class="muted small">${hint}</p>`}
    </div>
  `;
}
