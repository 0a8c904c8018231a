/** TCP segments (RFC 9293), with the options for segment size and window scale (RFC 7323). */
import type { Address } from './address.ts';
import { read16, read32, write16, write32 } from './bytes.ts';
import { checksum, pseudoHeaderSum } from './checksum.ts';
import { PROTOCOL_TCP } from './packet.ts';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

const HEADER = 20;
/** Segment size, no operation, window scale. */
const SYN_OPTIONS = 8;
const OPTION_END = 0;
const OPTION_NONE = 1;
const OPTION_SEGMENT_SIZE = 2;
const OPTION_SCALE = 3;
const MAX_SCALE = 14;

export interface Segment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  /** As in the header, not scaled. */
  readonly window: number;
  readonly data: Uint8Array;
  /** The options, undefined if they are missing. */
  readonly segmentSize: number | undefined;
  readonly scale: number | undefined;
}

/** Like UDP's, the checksum is not looked at. */
export function parseSegment(bytes: Uint8Array): Segment | undefined {
  if (bytes.length < HEADER) return undefined;
  const headerSize = ((bytes[12] as number) >>> 4) * 4;
  if (headerSize < HEADER || headerSize > bytes.length) return undefined;
  return {
    sourcePort: read16(bytes, 0),
    destinationPort: read16(bytes, 2),
    sequence: read32(bytes, 4),
    acknowledgement: read32(bytes, 8),
    flags: (bytes[13] as number) & 0x3f,
    window: read16(bytes, 14),
    data: bytes.subarray(headerSize),
    ...parseOptions(bytes.subarray(HEADER, headerSize)),
  };
}

/** What follows a malformed option is ignored. */
function parseOptions(options: Uint8Array): Pick<Segment, 'segmentSize' | 'scale'> {
  let segmentSize: number | undefined;
  let scale: number | undefined;
  for (let at = 0; at < options.length && options[at] !== OPTION_END; ) {
    const kind = options[at];
    const size = kind === OPTION_NONE ? 1 : (options[at + 1] ?? 0);
    if (at + size > options.length || (kind !== OPTION_NONE && size < 2)) break;
    if (kind === OPTION_SEGMENT_SIZE && size === 4) segmentSize = read16(options, at + 2);
    if (kind === OPTION_SCALE && size === 3) scale = Math.min(options[at + 2] as number, MAX_SCALE);
    at += size;
  }
  return { segmentSize, scale };
}

/** The header's size: only SYN has options. */
export const headerSize = (flags: number): number => ((flags & SYN) === 0 ? HEADER : HEADER + SYN_OPTIONS);

/** Fills in the header of a segment whose data is in place; `segment.data` is not used. */
export function writeSegmentHeader(
  into: Uint8Array,
  source: Address,
  destination: Address,
  segment: Omit<Segment, 'data'>,
): void {
  const { flags, segmentSize = 0, scale } = segment;
  write16(into, 0, segment.sourcePort);
  write16(into, 2, segment.destinationPort);
  write32(into, 4, segment.sequence);
  write32(into, 8, segment.acknowledgement);
  into[12] = (headerSize(flags) / 4) << 4;
  into[13] = flags;
  write16(into, 14, segment.window);
  if ((flags & SYN) !== 0) {
    write16(into, HEADER, (OPTION_SEGMENT_SIZE << 8) | 4);
    write16(into, HEADER + 2, segmentSize);
    const scaling = [OPTION_NONE, OPTION_SCALE, 3, scale ?? 0];
    into.set(
      scale === undefined ? [OPTION_NONE, OPTION_NONE, OPTION_NONE, OPTION_NONE] : scaling,
      HEADER + 4,
    );
  }
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_TCP, into.length);
  write16(into, 16, checksum(into, 0, into.length, sum));
}

/** The sequence number after a segment, where SYN and FIN count as a byte each (section 3.4). */
export function sequenceAfter({
  sequence,
  data,
  flags,
}: Pick<Segment, 'sequence' | 'data' | 'flags'>): number {
  const controls = ((flags & SYN) === 0 ? 0 : 1) + ((flags & FIN) === 0 ? 0 : 1);
  return (sequence + data.length + controls) >>> 0;
}

/** How far sequence number `a` is ahead of `b`; negative if it is behind (section 3.4). */
export const ahead = (a: number, b: number): number => (a - b) | 0;
