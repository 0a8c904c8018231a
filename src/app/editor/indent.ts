/** Lines enough to tell how a file is indented. */
const SAMPLE = 1000;
const USUAL = '  ';

/** Returns the step by which the lines of a text are indented. */
export function indentOf(text: string): string {
  const indents = text
    .split('\n', SAMPLE)
    .map((line) => /^(\t| +)(?=[^\s*])/.exec(line)?.[1])
    .filter((indent) => indent !== undefined);
  if (indents.length === 0) return USUAL;
  const tabs = indents.filter((indent) => indent === '\t').length;
  if (tabs * 2 > indents.length) return '\t';
  const widths = indents.filter((indent) => indent !== '\t').map(({ length }) => length);
  const step = [8, 4, 2].find((step) => widths.every((width) => width % step === 0));
  return ' '.repeat(step ?? USUAL.length);
}
