/** Returns the middle value, or the mean of the two middle values. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function geometricMean(values: number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Prints rows under their headings. The first column is left-aligned, the others are right-aligned. */
export function printTable(headings: string[], rows: string[][]): void {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    widths
      .map((width, column) =>
        column ? (row[column] ?? '').padStart(width) : (row[column] ?? '').padEnd(width),
      )
      .join('  ');
  console.log(line(headings));
  console.log(widths.map((width) => '-'.repeat(width)).join('  '));
  for (const row of rows) console.log(line(row));
}

/** Prints a figure beside the least value that is required of it. */
export function printLeast(what: string, value: number, required: number): void {
  console.log(`${what}: ${value.toFixed(2)} (required: at least ${required.toFixed(2)})`);
}

/** Prints the names of those that do what nothing may do. */
export function printNone(what: string, names: readonly string[]): void {
  console.log(`${what}: ${names.join(', ') || 'nothing'} (required: nothing)`);
}
