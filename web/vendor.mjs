// Copies the third-party files that the page loads, as they are, from node_modules/ to
// static/vendor/, and beside each the declaration file that `tsc` reads in its place; and writes
// what the page needs of the emoji data. Run after `npm ci --ignore-scripts`; the folder is made
// anew each time and is never committed.

import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';

import { gemoji } from 'gemoji';

const FILES = {
  'centrifuge.js': 'node_modules/centrifuge/dist/centrifuge.js',
  'centrifuge.d.ts': 'types/centrifuge.d.ts',
  'emoji.d.ts': 'types/emoji.d.ts',
  'markdown-it.js': 'node_modules/markdown-it/dist/browser/markdown-it.esm.min.mjs',
  'markdown-it.d.ts': 'types/markdown-it.d.ts',
  'preact.js': 'node_modules/htm/preact/standalone.module.js',
  'preact.d.ts': 'types/preact.d.ts',
  'purify.js': 'node_modules/dompurify/dist/purify.min.js',
  'purify.d.ts': 'types/purify.d.ts',
};

const here = new URL('./', import.meta.url);
const target = new URL('static/vendor/', here);

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
for (const [name, source] of Object.entries(FILES)) {
  await copyFile(new URL(source, here), new URL(name, target));
}

/** @type {Map<string, string[][]>} by category: an emoji, its shortcodes, more words for it */
const groups = new Map();
for (const { emoji, names, description, tags, category } of gemoji) {
  const group = groups.get(category) ?? [];
  groups.set(category, [...group, [emoji, names.join(' '), [description, ...tags].join(' ')]]);
}
await writeFile(new URL('emoji.js', target), `export default ${JSON.stringify([...groups])};\n`);

console.log(`${Object.keys(FILES).length + 1} files in web/static/vendor/`);
