/**
 * Writes cpio archives in the "newc" format, which the kernel unpacks as its initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Every entry has owner 0:0 and time 0, so that
 * the same entries always give the same bytes.
 */

/**
 * @typedef {object} Entry
 * @property {string} path without a leading slash; parents come before their children
 * @property {'directory' | 'file' | 'symlink' | 'character device'} type
 * @property {number} [mode] permission bits; 0755 unless given
 * @property {Uint8Array} [data] the contents of a file
 * @property {string} [target] the target of a symbolic link
 * @property {[major: number, minor: number]} [device] the number of a character device
 */

const TYPE_BITS = {
  directory: 0o040000,
  file: 0o100000,
  symlink: 0o120000,
  'character device': 0o020000,
};

const HEADER_SIZE = 110;
/** The format requires 4. The kernel copies a file twice as fast if it begins at a multiple of 8. */
const ALIGNMENT = 8;

/** @param {number} length @param {number} alignment a power of two */
const padding = (length, alignment) => Buffer.alloc(-length & (alignment - 1));

/**
 * Returns one record, padded to a multiple of ALIGNMENT bytes. NULs pad the name and count as part of it. The
 * file is padded with NULs too, which the format allows between records.
 * @param {string} path
 * @param {Uint8Array} data
 * @param {{ inode: number, mode: number, links: number, device: readonly [number, number] }} attributes
 */
function record(path, data, { inode, mode, links, device }) {
  const ended = Buffer.from(`${path}\0`);
  const name = Buffer.concat([ended, padding(HEADER_SIZE + ended.length, ALIGNMENT)]);
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, ...device, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return [Buffer.from(header), name, data, padding(data.length, ALIGNMENT)];
}

/**
 * @param {readonly Entry[]} entries
 * @returns {Buffer} the archive
 */
export function writeCpio(entries) {
  const records = entries.map(({ path, type, mode = 0o755, data, target, device = [0, 0] }, index) =>
    record(path, data ?? Buffer.from(target ?? ''), {
      inode: index + 1,
      mode: TYPE_BITS[type] | mode,
      links: type === 'directory' ? 2 : 1,
      device,
    }),
  );
  const trailer = record('TRAILER!!!', Buffer.alloc(0), { inode: 0, mode: 0, links: 1, device: [0, 0] });
  return Buffer.concat([...records.flat(), ...trailer]);
}
