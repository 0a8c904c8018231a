/** The sizes of machines, which also the set-up reads, before TypeScript can run. */

/** As `MAX_HARTS` of the core. */
export const MAX_CPUS = 8;
const MIB = 2 ** 20;
export const MIN_RAM = 32 * MIB;
/** The memory of a machine and its RAM share one WebAssembly memory, so that slightly less fits. */
export const MAX_RAM = 2 ** 32;
/** A guest page. */
export const GUEST_PAGE = 4096;

/** @param {number} count @returns {string | undefined} why a machine cannot have so many CPUs */
export function cpusProblem(count) {
  if (Number.isInteger(count) && count >= 1 && count <= MAX_CPUS) return undefined;
  return `the number of CPUs must be 1 to ${MAX_CPUS}, not ${count}`;
}

/**
 * @param {number} bytes
 * @param {string} [given] as the user wrote it
 * @returns {string | undefined} why a machine cannot have this much memory, apart from what it needs itself
 */
export function memoryProblem(bytes, given = formatSize(bytes)) {
  if (bytes < MIN_RAM) return `${given} of memory is too little: at least ${formatSize(MIN_RAM)}`;
  if (bytes > MAX_RAM) return `${given} of memory is too much: at most ${formatSize(MAX_RAM)}`;
  if (bytes % GUEST_PAGE !== 0) return `memory must be a multiple of ${GUEST_PAGE} bytes, not ${given}`;
  return undefined;
}

/**
 * @param {number} bytes
 * @returns {string} the shortest exact notation that `parseSize` reads, such as `512M`
 */
export function formatSize(bytes) {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && value % 1024 === 0 && unit < 4; unit++) value /= 1024;
  return `${value}${['', 'K', 'M', 'G', 'T'][unit]}`;
}
