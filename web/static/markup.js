// @ts-check
/**
 * Message text to HTML: a chat's share of Markdown. HTML in the text is shown as text, pictures are
 * not loaded, and what comes out goes through DOMPurify on top.
 */

import MarkdownIt from './vendor/markdown-it.js';
import DOMPurify from './vendor/purify.js';

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
    'strong',
    'ul',
  ],
  ALLOWED_ATTR: ['href', 'rel', 'start', 'target'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

/** @param {string} text */
export function toHtml(text) {
  return markdown.render(text);
}

/** @param {string} text */
export function toSafeHtml(text) {
  return DOMPurify.sanitize(toHtml(text), ALLOWED);
}
