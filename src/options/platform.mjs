import { OptionError } from './option-error.mjs';

/**
 * The processors whose programs run, the best first: the machine's own, and those that are emulated in it.
 * @typedef {'riscv64' | 'arm64' | 'amd64'} Architecture
 */

/** @type {readonly Architecture[]} */
export const ARCHITECTURES = ['riscv64', 'arm64', 'amd64'];

/** Other names of the same. @type {Readonly<Record<string, string>>} */
const ALIASES = { aarch64: 'arm64', x86_64: 'amd64', 'x86-64': 'amd64' };

/** What a platform means that names no variant. @type {Readonly<Partial<Record<Architecture, string>>>} */
const USUAL_VARIANTS = { arm64: 'v8', amd64: 'v1' };

/** @param {string} architecture @returns {string} its name in platforms of images */
const usualName = (architecture) => ALIASES[architecture] ?? architecture;

/**
 * @param {string} name as images write it
 * @returns {Architecture | undefined} undefined if its programs do not run
 */
export function architectureOf(name) {
  return ARCHITECTURES.find((known) => known === usualName(name));
}

/** @param {string} architecture */
export const platformOf = (architecture) => `linux/${architecture}`;

/**
 * @param {string} text such as `linux/arm64`, or `arm64`
 * @throws OptionError
 */
export function parsePlatform(text) {
  const [name = '', variant] = text
    .toLowerCase()
    .replace(/^linux\//, '')
    .split(/\/(.*)/s);
  const architecture = architectureOf(name);
  if (!architecture || (variant !== undefined && variant !== USUAL_VARIANTS[architecture]))
    throw new OptionError(`the platforms are ${ARCHITECTURES.map(platformOf).join(', ')}`);
  return architecture;
}

/**
 * @param {string} platform or the name of an architecture
 * @returns {boolean} whether its programs are emulated in the machine
 */
export const isEmulated = (platform) => parsePlatform(platform) !== ARCHITECTURES[0];
