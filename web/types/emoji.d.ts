// Made by vendor.mjs of the package gemoji.
declare const groups: readonly (readonly [
  category: string,
  emojis: readonly (readonly [emoji: string, shortcodes: string, words: string])[],
])[];
export default groups;
