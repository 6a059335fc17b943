/**
 * What a dialog is to focus, for its `focusNodeSelector`.
 *
 * #### Notes
 * A dialog focuses its field when the browser is idle, which may be late: what
 * one has begun to type in another field by then would end in the wrong one. So
 * a field that has the focus keeps it.
 *
 * @param selectors - Of the fields to begin with.
 */
export function unlessFocused(...selectors: string[]): string {
  const waiting = selectors.map(
    each => `.jp-Dialog-body:not(:focus-within) ${each}`
  );
  return [':focus', ...waiting].join(', ');
}
