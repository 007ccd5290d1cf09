// @ts-check
/** What could be meant by what is being typed: a list above the field, which keeps the focus. */

import { Avatar } from './avatar.js';
import { html, useEffect, useRef } from './vendor/preact.js';

/** @import { Option } from './completion.js' */

export const LIST_ID = 'suggestions';

/** @param {number} index */
export const optionId = (index) => `suggestion-${index}`;

/**
 * @typedef {object} Props
 * @property {readonly Option[]} options
 * @property {number} current
 * @property {(option: Option) => void} onPick
 */

/** @param {Props} props */
export function Suggestions({ options, current, onPick }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));

  useEffect(() => {
    list.current?.children[current]?.scrollIntoView({ block: 'nearest' });
  }, [current]);

  return html`
    <ul class="suggestions" id=${LIST_ID} role="listbox" aria-label="Suggestions" ref=${list}>
      ${options.map(
        (option, index) => html`<li
          key=${option.id}
          id=${optionId(index)}
          role="option"
          aria-selected=${index === current ? 'true' : 'false'}
          onMouseDown=${(/** @type {MouseEvent} */ event) => event.preventDefault()}
          onClick=${() => onPick(option)}
        >
          ${
            option.person
              ? html`<${Avatar} ...${option.person} />`
              : html`<span class="sign" aria-hidden="true">${option.sign}</span>`
          }
          <bdi>${option.label}</bdi>
        </li>`,
      )}
    </ul>
  `;
}
