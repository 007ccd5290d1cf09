// @ts-check
/**
 * Message text to HTML: a chat's share of Markdown. HTML in the text is shown as text, pictures are
 * not loaded, and what comes out goes through DOMPurify on top.
 */

import { isWhole } from './completion.js';
import MarkdownIt from './vendor/markdown-it.js';
import './vendor/purify.js';

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true })
  // A heading would stand in the page's outline, a link definition would be an empty message.
  .disable(['heading', 'lheading', 'image', 'table', 'reference', 'hr']);

// Only what is written as an address: to the fuzzy rules "main.py" is a host in Paraguay.
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
markdown.validateLink = (url) => /^(https?|mailto):/i.test(url);

markdown.renderer.rules.link_open = (tokens, index, options, _env, renderer) => {
  const token = tokens[index];
  token?.attrSet('target', '_blank');
  token?.attrSet('rel', 'noopener noreferrer');
  return renderer.renderToken(tokens, index, options);
};

/**
 * A mention is taken as it stands, before anything in the name can mean something in Markdown.
 *
 * @typedef {{ names: readonly { name: string, isOurs: boolean }[] }} Env the longest name first
 */
markdown.inline.ruler.before('text', 'mention', (state, silent) => {
  const { src, pos } = state;
  if (src[pos] !== '@') return false;
  const found = /** @type {Env} */ (state.env).names?.find(({ name }) => isWhole(src, pos, name));
  if (!found) return false;
  if (!silent) {
    const token = state.push('mention', 'span', 0);
    token.content = `@${found.name}`;
    token.info = found.isOurs ? 'us' : 'other';
  }
  state.pos += found.name.length + 1;
  return true;
});

markdown.renderer.rules.mention = (tokens, index) => {
  const { content = '', info = '' } = tokens[index] ?? {};
  return `<span data-mention="${info}">${markdown.utils.escapeHtml(content)}</span>`;
};

const ALLOWED = {
  ALLOWED_TAGS: [
    'a',
    'blockquote',
    'br',
    'code',
    'em',
    'li',
    'ol',
    'p',
    'pre',
    's',
    'span',
    'strong',
    'ul',
  ],
  ALLOWED_ATTR: ['href', 'rel', 'start', 'target', 'data-mention'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

/**
 * @param {string} text
 * @param {import('./log.js').Mentions} [mentions]
 * @param {readonly string[]} [selves]
 */
export function toHtml(text, mentions = {}, selves = []) {
  const names = Object.entries(mentions)
    .map(([user, name]) => ({ name, isOurs: selves.includes(user) }))
    .sort((a, b) => b.name.length - a.name.length);
  return markdown.render(text, { names });
}

/** @type {HTMLElement | undefined} an allowed one, in a document of its own, where nothing is loaded or run */
let workbench;

/**
 * In one place for all messages: given a string, DOMPurify makes a document for each.
 *
 * @param {string} text
 * @param {import('./log.js').Mentions} mentions
 * @param {readonly string[]} selves
 */
export function toSafeHtml(text, mentions, selves) {
  workbench ??= document.implementation.createHTMLDocument('').createElement('blockquote');
  workbench.innerHTML = toHtml(text, mentions, selves);
  DOMPurify.sanitize(workbench, { ...ALLOWED, IN_PLACE: true });
  const safe = workbench.innerHTML;
  workbench.textContent = '';
  return safe;
}
