/**
 * LZ4 blocks (the LZ4 block format, version 1.6.3), for saved sessions. They run in a memory of their own,
 * apart from every machine, at addresses that the host chooses.
 *
 * A block is a series of sequences: a token, literals, and a match of what lies `offset` bytes behind. The
 * upper half of the token counts the literals, its lower half the bytes of the match beyond four. 15 in
 * either half says that more bytes follow, which are added until one is not 255.
 */

/** The shortest match. */
const MATCH: usize = 4;
/** The last bytes of a block are literals. */
const LAST_LITERALS: usize = 5;
/** The last match begins this far before the end, or earlier. */
const LAST_MATCH: usize = 12;
const FARTHEST: usize = 0xffff;
/** Entries of the table of positions, and their bytes. */
const TABLE_BITS: u32 = 13;
const TABLE_BYTES: usize = ((<usize>1) << TABLE_BITS) << 2;
/** The search takes larger steps after 2 to this power misses. */
const PATIENCE: usize = 6;

/**
 * Compresses `length` bytes.
 * @param target has room for `length + length / 255 + 32` bytes
 * @param table has room for 32 KiB
 * @returns the length of the block
 */
export function lz4Compress(source: usize, length: usize, target: usize, table: usize): usize {
  const end = source + length;
  let anchor = source;
  let out = target;
  if (length > LAST_MATCH) {
    memory.fill(table, 0, TABLE_BYTES);
    const lastStart = end - LAST_MATCH;
    let at = source + 1;
    while (true) {
      let steps: usize = 1 << PATIENCE;
      let match: usize = 0;
      while (at <= lastStart) {
        const word = load<u32>(at);
        const slot = table + ((<usize>((word * 0x9e37_79b1) >> (32 - TABLE_BITS))) << 2);
        match = source + load<u32>(slot);
        store<u32>(slot, <u32>(at - source));
        if (at - match <= FARTHEST && load<u32>(match) == word) break;
        at += steps++ >> PATIENCE;
      }
      if (at > lastStart) break;
      while (at > anchor && match > source && load<u8>(at - 1) == load<u8>(match - 1)) {
        at--;
        match--;
      }
      const matched = equalBytes(at + MATCH, match + MATCH, end - LAST_LITERALS);
      out = writeSequence(out, anchor, at - anchor, at - match, matched);
      at += MATCH + matched;
      anchor = at;
    }
  }
  return writeLiterals(out, anchor, end - anchor, 0) - target;
}

/** The number of bytes, up to `end`, that are equal. `match` is before `at`. */
@inline
function equalBytes(at: usize, match: usize, end: usize): usize {
  const start = at;
  while (at + 8 <= end) {
    const difference = load<u64>(at) ^ load<u64>(match);
    if (difference != 0) return at - start + <usize>(ctz(difference) >> 3);
    at += 8;
    match += 8;
  }
  while (at < end && load<u8>(at) == load<u8>(match)) {
    at++;
    match++;
  }
  return at - start;
}

@inline
function writeSequence(out: usize, literals: usize, count: usize, offset: usize, matched: usize): usize {
  out = writeLiterals(out, literals, count, min<usize>(matched, 15));
  store<u16>(out, <u16>offset);
  out += 2;
  return matched < 15 ? out : writeLength(out, matched - 15);
}

@inline
function writeLiterals(out: usize, literals: usize, count: usize, low: usize): usize {
  store<u8>(out++, <u8>((min<usize>(count, 15) << 4) | low));
  if (count >= 15) out = writeLength(out, count - 15);
  copyForward(out, literals, count);
  return out + count;
}

function writeLength(out: usize, rest: usize): usize {
  for (; rest >= 255; rest -= 255) store<u8>(out++, 255);
  store<u8>(out++, <u8>rest);
  return out;
}

/** Copies eight bytes at a time, and so up to seven more. */
@inline
function copyForward(target: usize, source: usize, count: usize): void {
  for (let done: usize = 0; done < count; done += 8) store<u64>(target + done, load<u64>(source + done));
}

/**
 * Decompresses a block of `length` bytes to exactly `room` bytes. Nothing outside of the two is read or
 * written, whatever the block holds.
 * @returns whether the block is right
 */
export function lz4Decompress(source: usize, length: usize, target: usize, room: usize): bool {
  const end = source + length;
  const targetEnd = target + room;
  let at = source;
  let out = target;
  while (at < end) {
    const token = <usize>load<u8>(at++);
    let count = token >> 4;
    if (count == 15) {
      count = readLength(at, end);
      if (count == WRONG) return false;
      at += lengthBytes(count);
      count += 15;
    }
    if (count > end - at || count > targetEnd - out) return false;
    copy(out, at, count, targetEnd, end);
    at += count;
    out += count;
    if (at == end) return out == targetEnd;
    if (end - at < 2) return false;
    const offset = <usize>load<u16>(at);
    at += 2;
    if (offset == 0 || offset > out - target) return false;
    count = token & 15;
    if (count == 15) {
      count = readLength(at, end);
      if (count == WRONG) return false;
      at += lengthBytes(count);
      count += 15;
    }
    count += MATCH;
    if (count > targetEnd - out) return false;
    repeat(out, offset, count, targetEnd);
    out += count;
  }
  return false;
}

const WRONG: usize = ~0;

/** Adds the bytes of a length. A block has fewer than 2^26 bytes, so the sum stays below 2^34 / 4. */
function readLength(at: usize, end: usize): usize {
  let sum: u64 = 0;
  while (at < end) {
    const byte = load<u8>(at++);
    sum += byte;
    if (byte != 255) return sum > 0x7fff_ffff ? WRONG : <usize>sum;
  }
  return WRONG;
}

/** The bytes that a length of this value takes. */
@inline
function lengthBytes(length: usize): usize {
  return length / 255 + 1;
}

/** Copies literals, eight bytes at a time where both ends have room for that. */
@inline
function copy(target: usize, source: usize, count: usize, targetEnd: usize, sourceEnd: usize): void {
  if (count <= 64 && target + count + 8 <= targetEnd && source + count + 8 <= sourceEnd)
    copyForward(target, source, count);
  else memory.copy(target, source, count);
}

/** Copies what lies `offset` bytes behind, where the copy may overlap its source. */
@inline
function repeat(out: usize, offset: usize, count: usize, targetEnd: usize): void {
  const source = out - offset;
  if (offset >= 8 && out + count + 8 <= targetEnd) {
    copyForward(out, source, count);
    return;
  }
  if (offset >= count) {
    memory.copy(out, source, count);
    return;
  }
  if (offset == 1) {
    memory.fill(out, load<u8>(source), count);
    return;
  }
  for (let done: usize = 0; done < count; done++) store<u8>(out + done, load<u8>(source + done));
}
