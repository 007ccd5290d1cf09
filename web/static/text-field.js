// @ts-check
/** Changes to what stands in a text field, as if they were typed: Ctrl+Z takes them back. */

/**
 * @param {HTMLTextAreaElement} field
 * @param {number} start
 * @param {number} end
 * @param {string} text
 */
export function replace(field, start, end, text) {
  field.focus();
  field.setSelectionRange(start, end);
  // Deprecated, and the only way that browsers can undo. It makes the input event as well.
  if (document.execCommand(text ? 'insertText' : 'delete', false, text)) return;
  field.setRangeText(text, start, end, 'end');
  field.dispatchEvent(new InputEvent('input', { bubbles: true }));
}

/** Puts a mark around what is selected, or takes it away. @param {HTMLTextAreaElement} field @param {string} mark */
export function wrap(field, mark) {
  const { value, selectionStart: start, selectionEnd: end } = field;
  const inside = value.slice(start, end);
  const { length } = mark;
  if (value.slice(start - length, start) === mark && value.slice(end, end + length) === mark) {
    replace(field, start - length, end + length, inside);
    field.setSelectionRange(start - length, end - length);
  } else {
    replace(field, start, end, mark + inside + mark);
    field.setSelectionRange(start + length, end + length);
  }
}
