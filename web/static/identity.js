// @ts-check
/** Who sits here, as far as the browser and the page's HTML know. */

import { stored } from './browser.js';

export const savedName = stored(() => localStorage, 'parley.name');

// Per tab, so that two tabs are two people; a reload stays the same one.
export const guest = stored(() => sessionStorage, 'parley.guest');

/** Where the application gives its user's token; '' if people are guests. */
export const tokenUrl =
  /** @type {HTMLMetaElement | null} */ (document.querySelector('meta[name="token-url"]'))
    ?.content ?? '';
