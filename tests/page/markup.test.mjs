import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toHtml } from '../../web/static/markup.js';

// What DOMPurify does on top needs a document and is seen to in the browser.

const paragraph = (html) => `<p>${html}</p>\n`;

test('emphasis, code and lines', () => {
  assert.equal(
    toHtml('**a** _b_ `c`\nd'),
    paragraph('<strong>a</strong> <em>b</em> <code>c</code><br>\nd'),
  );
});

test('HTML is text', () => {
  assert.equal(
    toHtml('<img src=x onerror=alert(1)>'),
    paragraph('&lt;img src=x onerror=alert(1)&gt;'),
  );
});

test('links open elsewhere and do not tell where from', () => {
  const html = toHtml('https://example.com');

  assert.match(html, /<a href="https:\/\/example.com" target="_blank" rel="noopener noreferrer">/);
});

for (const url of [
  'javascript:alert(1)',
  'data:text/html,x',
  'vbscript:x',
  'file:///etc/passwd',
  '//example.com',
  '/r/x',
]) {
  test(`no link to ${url}`, () => {
    assert.doesNotMatch(toHtml(`[click](${url}) <${url}>`), /<a /);
  });
}

test('a file name is not a link', () => {
  assert.equal(toHtml('see main.py'), paragraph('see main.py'));
});

test('pictures are not loaded', () => {
  assert.doesNotMatch(toHtml('![x](https://example.com/x.png)'), /<img/);
});

test('no headings in the outline of the page, and no message that shows nothing', () => {
  assert.equal(toHtml('# a'), paragraph('# a'));
  assert.doesNotMatch(toHtml('a\n==='), /<h1/);
  assert.notEqual(toHtml('[a]: https://example.com').trim(), '');
  assert.notEqual(toHtml('***').trim(), '');
});

test('a mention is marked where its name stands after an "@", and as ours', () => {
  const html = toHtml('hi @Ada and @Bob, not @Adam or me@Ada', { a: 'Ada', b: 'Bob' }, ['b']);

  assert.equal(
    html,
    paragraph(
      'hi <span data-mention="other">@Ada</span> and <span data-mention="us">@Bob</span>, ' +
        'not @Adam or me@Ada',
    ),
  );
});

for (const name of ['*Ada*', '`x`', '[a](https://b)', '<img src=x>', '~~', '\\', '&lt;', '**']) {
  test(`a name that looks like markup is a name: ${name}`, () => {
    const html = toHtml(`**hi** @${name} _there_`, { a: name }, []);

    assert.match(html, /^<p><strong>hi<\/strong> <span data-mention="other">@[^<]*<\/span> <em>there/);
  });
}

test('in code, nobody is mentioned', () => {
  assert.equal(toHtml('`@Ada`', { a: 'Ada' }), paragraph('<code>@Ada</code>'));
});
