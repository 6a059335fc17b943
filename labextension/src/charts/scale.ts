/** Numbers for charts: axes, lines. */

/** Round values from 0 to at least `most`, about `count` of them. */
export function ticks(most: number, count = 3): number[] {
  if (!(most > 0)) {
    return [0, 1];
  }
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find(one => one * power >= rough) ?? 10) * power;
  const steps = Math.ceil(most / step - 1e-9);
  return Array.from({ length: steps + 1 }, (_, index) =>
    Number((index * step).toPrecision(12))
  );
}

/**
 * The path of a line through values at even distances; nulls are gaps.
 *
 * @param values - The values, oldest first.
 * @param most - The value at the top.
 */
export function linePath(
  values: readonly (number | null)[],
  most: number,
  width: number,
  height: number
): string {
  const step = width / Math.max(1, values.length - 1);
  let path = '';
  let drawn = false;
  values.forEach((value, index) => {
    if (value === null) {
      drawn = false;
      return;
    }
    const x = (index * step).toFixed(1);
    const y = (height - (most > 0 ? value / most : 0) * height).toFixed(1);
    const alone = !drawn && (values[index + 1] ?? null) === null;
    // A line of no length is drawn as a dot, by its round ends.
    path += `${drawn ? 'L' : 'M'}${x},${y}${alone ? 'h0' : ''}`;
    drawn = true;
  });
  return path;
}
