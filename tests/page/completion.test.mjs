import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as completion from '../../web/static/completion.js';

const { closedShortcode, emojiOptions, isWhole, mentionsIn, namingAt, personOptions } = completion;

const at = (text) => namingAt(text.replace('|', ''), text.indexOf('|'));
const ADA = { user: 'ada', name: 'Ada' };
const ADAM = { user: 'adam', name: 'Adam Smith' };
const OTHER_ADA = { user: 'ada2', name: 'Ada' };

for (const [text, kind, query] of [
  [':ta|', 'emoji', 'ta'],
  ['so :+1|', 'emoji', '+1'],
  ['(:ta|da', 'emoji', 'ta'],
  ['@|', 'person', ''],
  ['hi @ad|', 'person', 'ad'],
  ['hi @Ada Lo|', 'person', 'Ada Lo'],
  ['(@ad|)', 'person', 'ad'],
]) {
  test(`named here is ${kind} "${query}": ${text}`, () => {
    const naming = at(text);

    assert.deepEqual([naming?.kind, naming?.query], [kind, query]);
    assert.equal(naming.end - naming.start, query.length + 1);
  });
}

for (const text of ['', 'a|', ':t|', '12:30|', 'https://x|', 'a::ta|', 'ada@home|', '@ada is not here|', '@ ad|', '@a\nb|']) {
  test(`nothing is named here: ${JSON.stringify(text)}`, () => assert.equal(at(text), null));
}

test('a shortcode is closed with a colon', () => {
  assert.deepEqual(closedShortcode('so :Tada:', 9), { start: 3, end: 9, shortcode: 'tada' });
  for (const text of ['12:30:', 'a:tada:', '::', ': a:']) assert.equal(closedShortcode(text, text.length), null);
});

test('people are found by the beginning of each word of their names', () => {
  const labels = (query) => personOptions([ADA, ADAM], query).map(({ label }) => label);

  assert.deepEqual(labels('ad'), ['Ada', 'Adam Smith']);
  assert.deepEqual(labels('SMI'), ['Adam Smith']);
  assert.deepEqual(labels('adam s'), ['Adam Smith']);
  assert.deepEqual(labels('x'), []);
  assert.equal(personOptions([{ user: 'b', name: '**Bob**' }], 'b').length, 1);
});

test('what is chosen takes the place of what was typed, with a space behind', () => {
  const groups = [{ name: 'g', emojis: [{ emoji: '🎉', shortcodes: ['tada'], words: 'party' }] }];

  assert.equal(emojiOptions(groups, 'ta')[0].text, '🎉 ');
  assert.equal(personOptions([ADA], 'a')[0].text, '@Ada ');
});

test('a list has eight lines', () => {
  const people = Array.from({ length: 20 }, (_, index) => ({ user: `${index}`, name: `A${index}` }));

  assert.equal(personOptions(people, 'a').length, 8);
});

test('mentioned is who is named after an "@", chosen from the list or not', () => {
  assert.deepEqual(mentionsIn('hi @Ada!', {}, [ADA, ADAM]), { ada: 'Ada' });
  assert.deepEqual(mentionsIn('hi @Adam Smith', {}, [ADA, ADAM]), { adam: 'Adam Smith' });
  assert.deepEqual(mentionsIn('@Ada and @Adam Smith', {}, [ADA, ADAM]), { ada: 'Ada', adam: 'Adam Smith' });
  assert.deepEqual(mentionsIn('mail ada@Ada, @Adamant, Ada', {}, [ADA, ADAM]), {});
});

test('of two with one name, the one who was chosen; who is no longer in the text is not', () => {
  assert.deepEqual(mentionsIn('hi @Ada', { ada2: 'Ada' }, [ADA, OTHER_ADA]), { ada2: 'Ada' });
  assert.deepEqual(mentionsIn('hi', { ada: 'Ada' }, [ADA]), {});
});

test('twenty people, and no more', () => {
  const people = Array.from({ length: 30 }, (_, index) => ({ user: `u${index}`, name: `N${index}` }));
  const text = people.map(({ name }) => `@${name}`).join(' ');

  assert.equal(Object.keys(mentionsIn(text, {}, people)).length, 20);
});

test('names of any letters, and of none', () => {
  assert.equal(isWhole('@Адам', 0, 'Ада'), false);
  assert.equal(isWhole('@Ада.', 0, 'Ада'), true);
  assert.equal(isWhole('@*x', 0, '*'), true);
});
