/** Which lines of a long list are to be drawn. */
export interface IRange {
  /** Index of the first line. */
  from: number;

  /** Index after the last line. */
  to: number;

  /** Where the first line is, in pixels from the top of all lines. */
  top: number;
}

/**
 * The lines that are to be seen, and a few more on both sides.
 *
 * @param offsets - Where each line begins, in pixels; one more for the end.
 * @param scrolled - How far the list is scrolled, in pixels.
 * @param height - How much of it is seen, in pixels.
 * @param extra - How many more lines on each side.
 */
export function visibleRange(
  offsets: readonly number[],
  scrolled: number,
  height: number,
  extra = 6
): IRange {
  const count = offsets.length - 1;
  const from = Math.max(0, lastBefore(offsets, scrolled) - extra);
  const to = Math.min(
    count,
    lastBefore(offsets, scrolled + height) + 1 + extra
  );
  return { from, to, top: offsets[from] ?? 0 };
}

/** Where each line begins, and where the last ends. */
export function offsetsOf(heights: Iterable<number>): number[] {
  const offsets = [0];
  let at = 0;
  for (const height of heights) {
    at += height;
    offsets.push(at);
  }
  return offsets;
}

/** The last index whose offset is not after `position`. */
function lastBefore(offsets: readonly number[], position: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((offsets[middle] ?? Infinity) <= position) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}
