/** Writes archives in the ustar format (POSIX, pax). */

const BLOCK = 512;

/**
 * @typedef {object} TarEntry
 * @property {string} path at most 100 bytes, no leading slash
 * @property {'file' | 'directory' | 'symlink'} type
 * @property {number} [mode] permissions; 0755 unless given
 * @property {Uint8Array} [data] the contents of a file
 * @property {string} [target] the target of a symlink, at most 100 bytes
 */

const TYPE_FLAGS = { file: '0', symlink: '2', directory: '5' };

/** @param {number} value @param {number} length @returns {string} octal digits and a NUL */
const octal = (value, length) => `${value.toString(8).padStart(length - 1, '0')}\0`;

/** @param {TarEntry} entry */
function header({ path, type, mode = 0o755, data, target = '' }) {
  const block = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(path) > 100 || Buffer.byteLength(target) > 100) {
    throw new RangeError(`too long for a tar: ${path}`);
  }
  block.write(path, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108); // owner
  block.write(octal(0, 8), 116); // group
  block.write(octal(data?.length ?? 0, 12), 124);
  block.write(octal(0, 12), 136); // modification time 1970, so that the same files give the same bytes
  block.write(' '.repeat(8), 148); // the checksum field counts as spaces
  block.write(TYPE_FLAGS[type], 156);
  block.write(target, 157);
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 7)} `, 148);
  return block;
}

/**
 * @param {readonly TarEntry[]} entries all owned by root
 * @returns {Uint8Array[]} the parts of the archive, one after the other
 */
export function tarParts(entries) {
  const parts = entries.flatMap((entry) => {
    const { data = new Uint8Array() } = entry;
    return [header(entry), data, Buffer.alloc(-data.length & (BLOCK - 1))];
  });
  return [...parts, Buffer.alloc(2 * BLOCK)];
}

/** @param {readonly TarEntry[]} entries all owned by root */
export function writeTar(entries) {
  return Buffer.concat(tarParts(entries));
}
