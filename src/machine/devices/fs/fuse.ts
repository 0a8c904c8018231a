/** Numbers and structures of FUSE, version 7.38, as Linux's include/uapi/linux/fuse.h defines them. */
import type { Capacity, FileStatus } from '../../../folders/shared-folder.ts';

export const MAJOR = 7;
export const MINOR = 38;

export const LOOKUP = 1;
export const FORGET = 2;
export const GETATTR = 3;
export const SETATTR = 4;
export const READLINK = 5;
export const SYMLINK = 6;
export const MKNOD = 8;
export const MKDIR = 9;
export const UNLINK = 10;
export const RMDIR = 11;
export const RENAME = 12;
export const LINK = 13;
export const OPEN = 14;
export const READ = 15;
export const WRITE = 16;
export const STATFS = 17;
export const RELEASE = 18;
export const FSYNC = 20;
export const SETXATTR = 21;
export const GETXATTR = 22;
export const LISTXATTR = 23;
export const REMOVEXATTR = 24;
export const FLUSH = 25;
export const INIT = 26;
export const OPENDIR = 27;
export const READDIR = 28;
export const RELEASEDIR = 29;
export const FSYNCDIR = 30;
export const GETLK = 31;
export const SETLK = 32;
export const SETLKW = 33;
export const CREATE = 35;
export const INTERRUPT = 36;
export const DESTROY = 38;
export const BATCH_FORGET = 42;
export const FALLOCATE = 43;
export const READDIRPLUS = 44;
export const RENAME2 = 45;
export const COPY_FILE_RANGE = 47;
export const SYNCFS = 50;

export const IN_HEADER_SIZE = 40;
/** In the headers of requests and replies. */
export const UNIQUE_OFFSET = 8;
export const OUT_HEADER_SIZE = 16;
export const INIT_OUT_SIZE = 64;
export const ATTR_SIZE = 88;
export const ATTR_OUT_SIZE = 16 + ATTR_SIZE;
export const ENTRY_OUT_SIZE = 40 + ATTR_SIZE;
export const OPEN_OUT_SIZE = 16;
export const STATFS_OUT_SIZE = 80;
export const LK_OUT_SIZE = 24;
export const DIRENT_SIZE = 24;

export const ROOT_NODE = 1n;
export const UNKNOWN_INODE = 0xffffffffn;

/** Flags of INIT. */
export const ASYNC_READ = 1 << 0;
export const POSIX_LOCKS = 1 << 1;
export const ATOMIC_O_TRUNC = 1 << 3;
export const BIG_WRITES = 1 << 5;
export const FLOCK_LOCKS = 1 << 10;
export const AUTO_INVAL_DATA = 1 << 12;
export const DO_READDIRPLUS = 1 << 13;
export const READDIRPLUS_AUTO = 1 << 14;
export const ASYNC_DIO = 1 << 15;
export const PARALLEL_DIROPS = 1 << 18;
export const MAX_PAGES = 1 << 22;
export const HANDLE_KILLPRIV_V2 = 1 << 28;

export const FATTR_MODE = 1 << 0;
export const FATTR_UID = 1 << 1;
export const FATTR_GID = 1 << 2;
export const FATTR_SIZE = 1 << 3;
export const FATTR_ATIME = 1 << 4;
export const FATTR_MTIME = 1 << 5;
export const FATTR_FH = 1 << 6;
export const FATTR_ATIME_NOW = 1 << 7;
export const FATTR_MTIME_NOW = 1 << 8;
export const FATTR_KILL_SUIDGID = 1 << 11;

export const GETATTR_FH = 1 << 0;
export const OPEN_KILL_SUIDGID = 1 << 0;
export const WRITE_KILL_SUIDGID = 1 << 2;
export const FSYNC_FDATASYNC = 1 << 0;
export const FOPEN_KEEP_CACHE = 1 << 1;
export const LK_FLOCK = 1 << 0;
/** Not of FUSE, but of our kernel (kernel/patches): the owner is an open file, as by F_OFD_SETLK. */
export const LK_OPEN_FILE = 1 << 1;
export const OFFSET_MAX = (1n << 63n) - 1n;

/** Those of open(2), fcntl(2), rename(2), fallocate(2) and setxattr(2). */
export const O_ACCMODE = 3;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_EXCL = 0o200;
export const O_TRUNC = 0o1000;
export const F_UNLCK = 2;
export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const FALLOC_KEEP_SIZE = 1;
export const FALLOC_PUNCH_HOLE = 2;
export const FALLOC_ZERO_RANGE = 16;
export const XATTR_CREATE = 1;
export const XATTR_REPLACE = 2;

/** Linux's numbers of errors. */
export const ERRNO: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EOPNOTSUPP: 95,
  ENOTSUP: 95,
  ESTALE: 116,
  EDQUOT: 122,
};

/** struct fuse_out_header @param length of what follows it */
export function outHeader(unique: bigint, error: number, length: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(OUT_HEADER_SIZE));
  header.setUint32(0, OUT_HEADER_SIZE + length, true);
  header.setInt32(4, -error, true);
  header.setBigUint64(UNIQUE_OFFSET, unique, true);
  return new Uint8Array(header.buffer);
}

const NANOSECONDS = 1_000_000_000n;
const BLOCK = 512;
const IO_SIZE = 4096;

/** The part of a reply after its header, written in order. */
export class Reply {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value, true);
    return this.skip(2);
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value, true);
    return this.skip(4);
  }

  u64(value: bigint | number): this {
    this.#view.setBigUint64(this.#at, BigInt(value), true);
    return this.skip(8);
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    return this.skip(bytes.length);
  }

  skip(count: number): this {
    this.#at += count;
    return this;
  }

  /** The number of bytes written. */
  get length(): number {
    return this.#at;
  }

  /** struct fuse_attr */
  attributes(status: FileStatus, inode: bigint): this {
    const times = [status.accessed, status.modified, status.changed];
    this.u64(inode)
      .u64(status.size)
      .u64(Math.ceil(status.allocated / BLOCK));
    for (const time of times) this.u64(BigInt.asUintN(64, seconds(time)));
    for (const time of times) this.u32(Number(time - seconds(time) * NANOSECONDS));
    this.u32(status.mode).u32(status.links).u32(status.user).u32(status.group);
    return this.u32(0).u32(IO_SIZE).u32(0);
  }

  /** struct fuse_kstatfs, with what fuse_statfs_out adds */
  capacity({ blockSize, blocks, freeBlocks, availableBlocks, files, freeFiles }: Capacity): this {
    for (const count of [blocks, freeBlocks, availableBlocks, files, freeFiles]) this.u64(count);
    return this.u32(blockSize).u32(255).u32(blockSize).skip(28);
  }
}

function seconds(time: bigint): bigint {
  return time >= 0n ? time / NANOSECONDS : -((-time + NANOSECONDS - 1n) / NANOSECONDS);
}
