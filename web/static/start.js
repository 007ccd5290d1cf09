// @ts-check
/**
 * What runs first: draws the form that asks for a name, if somebody is to be asked, while the SDK,
 * Markdown and all else are still on their way.
 */

import { savedName, tokenUrl } from './identity.js';
import { Join } from './join.js';
import { channelOf } from './route.js';
import { INITIAL } from './store.js';
import { html, render } from './vendor/preact.js';

/** @type {string | null} what was entered before the rest was there */
let wanted = null;
let state = { ...INITIAL, channel: channelOf(location.pathname) };

const actions = {
  /** @param {string} name */
  join(name) {
    wanted = name;
    draw({ stage: 'joining', name, refusal: '' });
  },
};

/** @param {Partial<typeof state>} change */
function draw(change) {
  state = { ...state, ...change };
  const root = /** @type {HTMLElement} */ (document.getElementById('app'));
  render(html`<${Join} state=${state} actions=${actions} />`, root);
}

if (!savedName.load() && !tokenUrl) draw({});
try {
  // It draws into the same place from now on, and what is being typed there stays.
  const app = await import('./app.js');
  if (wanted !== null) app.actions.join(wanted);
} catch (thrown) {
  draw({ stage: 'asking', refusal: 'Not all of the page could be loaded: reload it.' });
  throw thrown;
}
