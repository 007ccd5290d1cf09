// @ts-check
/** Picks people by name: a field that narrows the list down, and a box to tick for each. */

import { Avatar } from './avatar.js';
import { fit } from './fuzzy.js';
import { html, useState } from './vendor/preact.js';

/** @typedef {{ user: string, name: string }} Person */

const MOST_SHOWN = 50;

/**
 * @param {object} props
 * @param {readonly Person[]} props.people
 * @param {ReadonlySet<string>} props.picked
 * @param {number} props.most that may be picked
 * @param {(picked: ReadonlySet<string>) => void} props.onPick
 */
export function PeoplePicker({ people, picked, most, onPick }) {
  const [typed, setTyped] = useState('');
  const shown = matching(people, typed, picked);

  /** @param {string} user @param {boolean} isPicked */
  const pick = (user, isPicked) => {
    const next = new Set(picked);
    if (isPicked) next.add(user);
    else next.delete(user);
    onPick(next);
  };

  return html`
    <label for="person-name">Name</label>
    <input
      id="person-name"
      autofocus=${true}
      type="text"
      autocomplete="off"
      spellcheck=${false}
      value=${typed}
      onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value)}
    />
    <fieldset class="people-picker">
      <legend class="visually-hidden">People</legend>
      ${shown.map(
        ({ user, name }) => html`<label key=${user} class="pick">
          <input
            type="checkbox"
            checked=${picked.has(user)}
            disabled=${!picked.has(user) && picked.size >= most}
            onChange=${(/** @type {any} */ event) => pick(user, event.currentTarget.checked)}
          />
          <${Avatar} user=${user} name=${name} />
          <bdi class="person-name">${name}</bdi>
        </label>`,
      )}
      ${
        shown.length === 0 &&
        html`<p class="muted small">
          ${typed ? 'Nobody of that name whom you have met here.' : 'You have not met anybody here yet.'}
        </p>`
      }
    </fieldset>
  `;
}

/** @param {readonly Person[]} people @param {string} typed @param {ReadonlySet<string>} picked */
function matching(people, typed, picked) {
  const found = people.flatMap((person) => {
    const score = fit(typed, person.name)?.score;
    return score === undefined && !picked.has(person.user) ? [] : [{ person, score: score ?? -1 }];
  });
  found.sort((a, b) => b.score - a.score || a.person.name.localeCompare(b.person.name));
  return found.slice(0, MOST_SHOWN).map(({ person }) => person);
}

/**
 * Whom one could write to or invite: everybody met, but for some.
 *
 * @param {import('./names.js').Names} people
 * @param {readonly string[]} except
 * @returns {Person[]}
 */
export function others(people, except) {
  return [...people]
    .filter(([user]) => !except.includes(user))
    .map(([user, name]) => ({ user, name }));
}
