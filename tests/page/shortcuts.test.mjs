import assert from 'node:assert/strict';
import { test } from 'node:test';

import { stepOf } from '../../web/static/combobox.js';
import { commandOf } from '../../web/static/shortcuts.js';

const press = (keys, isTyping = false) => {
  const parts = keys.split(' ');
  return commandOf({
    key: parts.at(-1),
    ctrlKey: parts.includes('Ctrl'),
    metaKey: parts.includes('Cmd'),
    shiftKey: parts.includes('Shift'),
    altKey: parts.includes('Alt'),
    isTyping,
  });
};

for (const [keys, command] of [
  ['Ctrl k', 'switch'],
  ['Cmd k', 'switch'],
  ['Ctrl Shift F', 'search'],
  ['/', 'search'],
  ['Shift /', 'search'], // as on German keyboards
  ['Shift ?', 'help'],
  ['Alt ArrowUp', 'previous'],
  ['Alt ArrowDown', 'next'],
  ['Ctrl f', null], // the browser's own search
  ['Ctrl /', null],
  ['k', null],
  ['ArrowUp', null],
  ['Ctrl Cmd k', null],
])
  test(`${keys} is ${command}`, () => assert.equal(press(keys), command));

test('where text is written, letters are text, and the others still work', () => {
  assert.equal(press('/', true), null);
  assert.equal(press('Shift ?', true), null);
  assert.equal(press('Ctrl k', true), 'switch');
  assert.equal(press('Ctrl Shift F', true), 'search');
});

test('in a list, arrows go round, and a page stops at its ends', () => {
  assert.equal(stepOf('ArrowDown', 2, 3), 0);
  assert.equal(stepOf('ArrowUp', 0, 3), 2);
  assert.equal(stepOf('PageDown', 1, 3), 2);
  assert.equal(stepOf('PageUp', 1, 3), 0);
});

test('in a list, other keys are for the text, and so is every key if there is nothing', () => {
  for (const key of ['a', 'Home', 'End', 'ArrowLeft']) assert.equal(stepOf(key, 0, 3), null);
  assert.equal(stepOf('ArrowDown', 0, 0), null);
});
