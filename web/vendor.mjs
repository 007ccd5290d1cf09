// Copies the third-party files that the page loads, as they are, from node_modules/ to
// static/vendor/, and beside each the declaration file that `tsc` reads in its place. Run after
// `npm ci --ignore-scripts`; the folder is made anew each time and is never committed.

import { copyFile, mkdir, rm } from 'node:fs/promises';

const FILES = {
  'centrifuge.js': 'node_modules/centrifuge/dist/centrifuge.js',
  'centrifuge.d.ts': 'types/centrifuge.d.ts',
  'markdown-it.js': 'node_modules/markdown-it/dist/browser/markdown-it.esm.min.mjs',
  'markdown-it.d.ts': 'types/markdown-it.d.ts',
  'preact.js': 'node_modules/htm/preact/standalone.module.js',
  'preact.d.ts': 'types/preact.d.ts',
  'purify.js': 'node_modules/dompurify/dist/purify.es.mjs',
  'purify.d.ts': 'types/purify.d.ts',
};

const here = new URL('./', import.meta.url);
const target = new URL('static/vendor/', here);

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
for (const [name, source] of Object.entries(FILES)) {
  await copyFile(new URL(source, here), new URL(name, target));
}
console.log(`${Object.keys(FILES).length} files in web/static/vendor/`);
