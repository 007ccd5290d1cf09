import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withChange } from '../../web/static/log.js';
import { changeOf } from '../../web/static/publication.js';
import { ADA, BOB, deletion, edit, entry, permutations, reaction } from './make.mjs';

const after = (log, ...publications) => publications.map(changeOf).reduce(withChange, log);
const alone = (...publications) => after([entry(1)], ...publications)[0];

test('an edit gives a message another text, and leaves all else', () => {
  const before = entry(1);

  const [edited] = after([before], edit(2, 1, 'better'));

  assert.equal(edited.text, 'better');
  assert.equal(edited.changed, 2000);
  assert.deepEqual({ ...edited, text: before.text, data: before.data, changed: null }, before);
});

test('only the message that is meant changes, and the others keep their identity', () => {
  const log = [1, 2, 4, 5].map((offset) => entry(offset));

  const edited = after(log, edit(6, 4, 'better'));

  assert.deepEqual(
    edited.map(({ text }) => text),
    ['message 1', 'message 2', 'better', 'message 5'],
  );
  assert.equal(edited[0], log[0]);
  assert.equal(edited[3], log[3]);
});

test('of what was deleted the place is left, its author and its time', () => {
  const gone = alone(edit(2, 1, 'better'), reaction(3, 1, '👍', { info: BOB }), deletion(4, 1));

  assert.equal(gone.kind, 'deleted');
  assert.equal(JSON.stringify(gone).includes('better'), false);
  assert.deepEqual([gone.offset, gone.user, gone.time, gone.changed], [1, ADA.user, 1000, 4000]);
  assert.deepEqual(gone.reactions, {});
});

test('nothing changes what was deleted', () => {
  const gone = alone(deletion(2, 1));

  assert.equal(alone(deletion(2, 1), edit(3, 1, 'back')).kind, 'deleted');
  assert.deepEqual(alone(deletion(2, 1), reaction(3, 1, '👍'), deletion(4, 1)), gone);
});

test('a reaction counts once for each user, and can be taken back', () => {
  const both = [reaction(2, 1, '👍'), reaction(3, 1, '👍', { info: BOB }), reaction(4, 1, '👍')];
  assert.deepEqual(alone(...both).reactions, { '👍': [ADA.user, BOB.user] });

  const back = reaction(5, 1, '👍', { on: false });
  assert.deepEqual(alone(...both, back).reactions, { '👍': [BOB.user] });
  assert.deepEqual(alone(reaction(2, 1, '👍'), back).reactions, {});
  assert.deepEqual(alone(back).reactions, {});
});

test('a reaction may be any word', () => {
  for (const emoji of ['constructor', '__proto__', '7']) {
    const { reactions } = alone(reaction(2, 1, '👍'), reaction(3, 1, emoji));

    assert.deepEqual(
      Object.entries(reactions).find(([key]) => key === emoji),
      [emoji, [ADA.user]],
    );
    assert.equal(Object.keys(reactions).length, 2);
    assert.equal(Object.getPrototypeOf(reactions), Object.prototype);
  }
});

test('whoever did not write a message cannot edit it', () => {
  const before = entry(1);

  assert.equal(after([before], edit(2, 1, 'forged', BOB))[0], before);
});

test('a moderator deletes what somebody else wrote', () => {
  assert.equal(after([entry(1)], deletion(2, 1, BOB))[0].kind, 'deleted');
});

test('data of another program is edited where it has a text', () => {
  const data = { title: 'news', text: 'old' };
  const [edited] = after([entry(1, { data, kind: 'data' })], edit(2, 1, 'new'));
  assert.equal(edited.text, '{"title":"news","text":"new"}');

  for (const without of [null, 7, 'text', { text: 7 }]) {
    const before = entry(1, { data: without, kind: 'data' });
    assert.equal(after([before], edit(2, 1, 'new'))[0], before);
  }
});

test('what a message has in it already is not made again', () => {
  const log = [entry(1, { text: 'newest', asOf: 9 })];

  assert.equal(after(log, edit(8, 1, 'older'), deletion(9, 1)), log);
  assert.equal(after(log, deletion(10, 1))[0].kind, 'deleted');
});

test('a change of what is not here is nothing', () => {
  const log = [entry(2), entry(4)];

  for (const target of [1, 3, 5]) assert.equal(after(log, deletion(9, target)), log);
  assert.deepEqual(after([], deletion(9, 1)), []);
});

test('reactions of several people may come in any order', () => {
  const given = [ADA, BOB].flatMap((info, index) => [
    reaction(2 + index, 1, '👍', { info }),
    reaction(4 + index, 1, '🎉', { info }),
  ]);

  for (const order of permutations(given)) {
    const { reactions } = alone(...order);
    assert.deepEqual(
      Object.values(reactions).map((users) => users.length),
      [2, 2],
    );
  }
});
