/** Random gzip files, whole and damaged, full of bytes that look like the headers of members (RFC 1952). */
import { constants, crc32, deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import type { Random } from '../../../emulator-wasm/test/support/random.ts';

const FTEXT = 1;
const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;

const LOOK_ALIKE = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

/** Sizes of pieces to feed it in: single bytes part every header, but take long. */
export function pieceSize(random: Random, body: Uint8Array): number {
  return random.pick([body.length < 1000 ? 1 : 97, 10, 1000, 1 << 20]);
}

export function gzipBody(random: Random): Uint8Array {
  const members = Array.from({ length: 1 + random.below(4) }, () => member(random, contents(random)));
  return damaged(random, new Uint8Array(Buffer.concat(members)));
}

/** What zlib makes of it, undefined when it refuses. */
export function unpackedByZlib(body: Uint8Array): Uint8Array | undefined {
  try {
    return gunzipSync(body);
  } catch {
    return undefined;
  }
}

function contents(random: Random): Uint8Array {
  const size = random.below(random.chance(0.05) ? 40_000 : 500);
  switch (random.below(6)) {
    case 0:
      return new Uint8Array(0);
    case 1:
      return bytes(random, size);
    case 2:
      return Uint8Array.from({ length: size }, (_, i) => 97 + ((i * i) % 7));
    case 3:
      return Uint8Array.from({ length: size }, (_, i) => LOOK_ALIKE[i % LOOK_ALIKE.length] as number);
    case 4:
      return concatenate(bytes(random, size % 50), gzipSync(bytes(random, size)), gzipSync('x'));
    default: {
      // All that could come before a true header: the right checksum and length, where no member ends.
      const before = bytes(random, size);
      return concatenate(before, trailer(before), gzipSync('forged'));
    }
  }
}

function member(random: Random, contents: Uint8Array): Uint8Array {
  const level = random.pick([0, 0, 1, 6, 9]);
  const strategy = random.chance(0.25) ? constants.Z_FIXED : constants.Z_DEFAULT_STRATEGY;
  return concatenate(header(random), deflateRawSync(contents, { level, strategy }), trailer(contents));
}

function header(random: Random): Uint8Array {
  const flags = random.chance(0.5) ? 0 : random.below(32);
  const parts = [Uint8Array.of(0x1f, 0x8b, 8, flags & ~FTEXT, 0, 0, 0, 0, 0, 3)];
  const text = concatenate(Uint8Array.from(LOOK_ALIKE.slice(0, 3)), bytes(random, random.below(20)));
  if (flags & FEXTRA) parts.push(Uint8Array.of(text.length, 0), text);
  for (const flag of [FNAME, FCOMMENT])
    if (flags & flag)
      parts.push(
        text.filter((byte) => byte !== 0),
        Uint8Array.of(0),
      );
  if (flags & FHCRC) {
    const sum = crc32(Buffer.concat(parts)) ^ (random.chance(0.1) ? 1 : 0);
    parts.push(Uint8Array.of(sum & 255, (sum >> 8) & 255));
  }
  return concatenate(...parts);
}

function trailer(contents: Uint8Array): Uint8Array {
  const fields = new DataView(new ArrayBuffer(8));
  fields.setUint32(0, crc32(contents), true);
  fields.setUint32(4, contents.length, true);
  return new Uint8Array(fields.buffer);
}

function damaged(random: Random, body: Uint8Array): Uint8Array {
  const zeros = new Uint8Array(1 + random.below(600));
  switch (random.below(12)) {
    case 0:
    case 1:
      return concatenate(body, zeros);
    case 2:
      return concatenate(body, zeros, bytes(random, 30));
    case 3:
      return concatenate(body, zeros, gzipSync('behind zeros'));
    case 4:
      return concatenate(body, bytes(random, 1 + random.below(40)));
    case 5:
      return concatenate(body, Uint8Array.from(LOOK_ALIKE.slice(0, 1 + random.below(10))));
    case 6:
      return body.slice(0, body.length - 1 - random.below(Math.min(body.length - 2, 40)));
    case 7: {
      const at = random.below(body.length - 2) + 2;
      body[at] = random.below(256);
      return body;
    }
    default:
      return body;
  }
}

function bytes(random: Random, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, () => random.below(256));
}

function concatenate(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}
