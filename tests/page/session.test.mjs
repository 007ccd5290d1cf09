// What a real server sent (session.json, by record.py) makes the same view in whatever order it comes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { hasNewer, isCurrent } from '../../web/static/stream.js';
import { identified, loaded, published, randomFrom, run, view } from './make.mjs';

const session = JSON.parse(readFileSync(new URL('session.json', import.meta.url), 'utf8'));
const ORDERS = 3000;

/** As the SDK hands it over. */
function publicationOf({ offset, data, info }) {
  const { user, client, conn_info: connInfo } = info;
  return { offset, data, info: { user, client, connInfo } };
}

const { epoch, offset } = session.subscribed;
const start = run([identified, { type: 'subscribed', epoch, offset, recovered: false }]);
const publications = session.publications.map((each) => published(publicationOf(each)));
const pages = session.pages.map((page) => loaded({ ...page, complete: true, end: true }));

/** Of data that has no time in it, the time is told in pages only. */
function shown(room) {
  const { log, ...rest } = view(room);
  return { ...rest, log: log.map(({ time, changed, ...each }) => (each.kind === 'message' ? { time, changed, ...each } : each)) };
}

function shuffled(items, random) {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(random() * left.length), 1)[0]);
}

test('the frames are of a session in which all happened that can', () => {
  const types = new Set(session.publications.map(({ data }) => data.type));

  assert.deepEqual([...types].sort(), ['delete', 'edit', 'message', 'poll', 'reaction']);
  assert.equal(session.pages.length, 3);
});

test('any page, and the publications in any order and some of them twice, end as the last page says', () => {
  const wanted = shown(run([pages.at(-1)], start));
  assert.equal(wanted.log.length, 7);

  for (let seed = 0; seed < ORDERS; seed += 1) {
    const random = randomFrom(seed);
    const some = pages.filter((_, index) => index === seed % pages.length || random() < 0.5);
    const twice = publications.filter(() => random() < 0.3);
    const room = run(shuffled([...publications, ...twice, ...some], random), start);

    assert.ok(isCurrent(room), `seed ${seed}`);
    assert.equal(hasNewer(room), false);
    assert.deepEqual(shown(room), wanted, `seed ${seed}`);
  }
});
