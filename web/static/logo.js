// @ts-check
/** Where the logo is: the address that the page's HTML has for it, so that it is loaded once. */

export const LOGO = new URL('./favicon.svg', import.meta.url).href;
