/** Makes cases of the interpreter's switch from the meanings of instructions. The set-up compiles them. */
import { FLOAT_RESULTS } from './float.ts';
import { INTEGER_RESULTS } from './integer.ts';

const ROUNDING = 'const rm = rounding(h, p); if (rm > 4) { exit = Exit.ILLEGAL; break; }';

export function interpreterCases(): string {
  const integer = Object.entries(INTEGER_RESULTS).map(([op, { text }]) => caseOf(op, text));
  const float = Object.entries(FLOAT_RESULTS).map(([op, { text, rounds }]) =>
    caseOf(op, text, rounds ? ROUNDING : ''),
  );
  return [...integer, ...float].join('\n');
}

function caseOf(op: string, result: string, before = ''): string {
  return `case ${op}: { ${before} rd(h, p, ${result}); p += 16; continue; }`;
}
