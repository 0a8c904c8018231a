/** What the translator knows of the host's processor. */

/**
 * Whether it is an x86, whose invalid operations make negative NaNs. A processor that makes positive ones is
 * taken for another kind.
 */
function findX86(): boolean {
  const number = new Float32Array(1);
  number[0] = Number.POSITIVE_INFINITY;
  number[0] -= number[0];
  return (new Int32Array(number.buffer)[0] as number) < 0;
}

export const isX86 = findX86();
