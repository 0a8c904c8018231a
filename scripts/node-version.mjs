/**
 * Ends a program that an old Node runs. Every program imports this file first and all others by `import()`,
 * because Node reads static imports before it runs anything. An old Node has to be able to read this file.
 */

/** The oldest Node that will do, as in the engines of package.json. */
export const OLDEST_NODE = '20.19';
/** The status of run.sh, which is otherwise the container's. */
const STATUS_OF_FAILURE = 125;

/** @param {string} version */
const numbersOf = (version) => version.split('.').map(Number);

/** @param {string} version @returns {boolean} whether LinuxRun runs with it */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = numbersOf(version);
  const [oldestMajor = 0, oldestMinor = 0] = numbersOf(OLDEST_NODE);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

if (!isNewEnough(process.versions.node)) {
  const { node } = process.versions;
  console.error(
    `linuxrun: Node ${OLDEST_NODE} or later is needed, and this is ${node}: install one from https://nodejs.org/en/download`,
  );
  process.exit(STATUS_OF_FAILURE);
}
