/**
 * A seeded generator of operands that prefers values at which floating-point arithmetic tends to be wrong.
 */
import type { OperandKind } from './operations.ts';

interface Format {
  fractionBits: number;
  exponentBits: number;
}

const DOUBLE: Format = { fractionBits: 52, exponentBits: 11 };
const SINGLE: Format = { fractionBits: 23, exponentBits: 8 };
const BOX = 0xffffffff00000000n;

export interface Tuple {
  a: bigint;
  b: bigint;
  c: bigint;
}

const scratch = new DataView(new ArrayBuffer(8));

function decode(format: Format, bits: bigint): number {
  scratch.setBigUint64(0, bits);
  return format === DOUBLE ? scratch.getFloat64(0) : scratch.getFloat32(4);
}

function encode(format: Format, value: number): bigint {
  if (format === DOUBLE) {
    scratch.setFloat64(0, value);
    return scratch.getBigUint64(0);
  }
  scratch.setFloat32(0, value);
  return BigInt(scratch.getUint32(0));
}

export class Generator {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A uniform integer of 32 bits (a Weyl sequence through the finaliser of MurmurHash3). */
  word(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return (x ^ (x >>> 16)) >>> 0;
  }

  /** A uniform integer from 0 to bound - 1. */
  below(bound: number): number {
    return Math.floor((this.word() / 2 ** 32) * bound);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  bits(count: number): bigint {
    return BigInt.asUintN(count, (BigInt(this.word()) << 32n) | BigInt(this.word()));
  }

  /** An integer with few significant bits, or of all ones, or a power of two, or any integer. */
  #significand(count: number): bigint {
    const all = (1n << BigInt(count)) - 1n;
    const shift = BigInt(this.below(count));
    switch (this.below(5)) {
      case 0:
        return 0n;
      case 1:
        return BigInt.asUintN(count, all << shift);
      case 2:
        return 1n << shift;
      case 3:
        return BigInt.asUintN(count, this.bits(count) << shift);
      default:
        return this.bits(count);
    }
  }

  #exponent({ exponentBits, fractionBits }: Format): number {
    const most = 2 ** exponentBits - 1;
    const bias = most >> 1;
    switch (this.below(5)) {
      case 0:
        return this.below(3);
      case 1:
        return most - this.below(4);
      case 2:
        return bias + this.below(140) - 70;
      case 3:
        // Their square, square root or reciprocal is at a limit of the range.
        return (
          (this.pick([0, bias, most]) >> 1) +
          ((this.below(2) * bias) >> 1) +
          this.below(2 * fractionBits + 4) -
          2
        );
      default:
        return this.below(most);
    }
  }

  #assemble({ exponentBits, fractionBits }: Format, exponent: number, fraction: bigint): bigint {
    const clamped = BigInt(Math.max(0, Math.min(exponent, 2 ** exponentBits - 1)));
    const sign = BigInt(this.below(2)) << BigInt(exponentBits);
    return ((sign | clamped) << BigInt(fractionBits)) | fraction;
  }

  #edge(format: Format): bigint {
    const { exponentBits, fractionBits } = format;
    const most = 2 ** exponentBits - 1;
    const all = (1n << BigInt(fractionBits)) - 1n;
    const quiet = 1n << BigInt(fractionBits - 1);
    const [exponent, fraction] = this.pick<[number, bigint]>([
      [0, 0n],
      [0, 0n],
      [0, 1n],
      [0, all],
      [1, 0n],
      [most >> 1, 0n],
      [most - 1, all],
      [most, 0n],
      [most, quiet],
      [most, quiet | 5n],
      [most, 1n],
      [most, quiet - 1n],
    ]);
    return this.#assemble(format, exponent, fraction);
  }

  /** Integers and halves, mostly at the limits of the integer types. */
  #nearInteger(format: Format): bigint {
    const power = 2 ** this.pick([0, 1, 7, 24, 31, 32, 53, 63, 64]);
    const offset = this.pick([
      -1.5,
      -1,
      -0.75,
      -0.5,
      -0.25,
      0,
      0,
      0.25,
      0.5,
      0.75,
      1,
      1.5,
      this.below(64) / 2,
    ]);
    return encode(format, this.pick([-1, 1]) * (this.pick([0, power]) + offset));
  }

  /** Moves by a few units in the last place. */
  #nudge({ exponentBits, fractionBits }: Format, bits: bigint): bigint {
    return BigInt.asUintN(1 + exponentBits + fractionBits, bits + BigInt(this.below(7) - 3));
  }

  /** A double near one that is a single, or halfway between two. */
  #nearSingle(): bigint {
    return encode(DOUBLE, decode(SINGLE, this.#float(SINGLE))) ^ this.#significand(29);
  }

  #float(format: Format): bigint {
    if (format === DOUBLE && this.below(8) === 0) return this.#nearSingle();
    switch (this.below(8)) {
      case 0:
      case 1:
        return this.#edge(format);
      case 2:
        return this.#nudge(format, this.#edge(format));
      case 3:
        return this.#nearInteger(format);
      case 4:
        return this.#nudge(format, this.#nearInteger(format));
      default:
        return this.#assemble(format, this.#exponent(format), this.#significand(format.fractionBits));
    }
  }

  /** A partner for `a` that makes cancellation, results at the limits of the range, or ties likely. */
  #partner(format: Format, a: bigint): bigint {
    const { exponentBits, fractionBits } = format;
    const most = 2 ** exponentBits - 1;
    const bias = most >> 1;
    const exponent = Number(a >> BigInt(fractionBits)) & most;
    const fraction = this.#significand(fractionBits);
    const nearby = this.below(5) - 2;
    switch (this.below(6)) {
      case 0:
        return this.#nudge(format, a ^ (BigInt(this.below(2)) << BigInt(exponentBits + fractionBits)));
      case 1:
        return this.#assemble(format, exponent - fractionBits - 1 + nearby, fraction);
      case 2:
        return this.#assemble(format, exponent + this.pick([bias, -bias, 0]) + nearby, fraction);
      case 3:
        return this.#assemble(format, this.pick([0, 1, most]) + bias - exponent + nearby, fraction);
      default:
        return this.#factor(format, a, this.#edge(format));
    }
  }

  /** A number whose product with a is `product`, or nearly. */
  #factor(format: Format, a: bigint, product: bigint): bigint {
    const factor = encode(format, decode(format, product) / decode(format, a));
    return this.below(2) ? factor : this.#nudge(format, factor);
  }

  /** An addend that nearly cancels a * b, or is at the limit of its influence. */
  #addend(format: Format, a: bigint, b: bigint): bigint {
    const product = encode(format, decode(format, a) * decode(format, b));
    return this.below(2) ? this.#nudge(format, product ^ encode(format, -0)) : this.#partner(format, product);
  }

  /** Operands for which a * b is about half a unit in the last place of c. */
  #halfway(format: Format): Tuple {
    const a = this.#float(format);
    const c = this.#float(format);
    const exponent = Number(c >> BigInt(format.fractionBits)) & (2 ** format.exponentBits - 1);
    const half = this.#assemble(format, exponent - format.fractionBits - 1, 0n);
    return { a, b: this.#factor(format, a, half), c };
  }

  #boxed(single: bigint): bigint {
    return this.below(32)
      ? BOX | single
      : this.pick([single, BigInt.asUintN(64, (BOX << 1n) | single), this.bits(64)]);
  }

  #floats(format: Format): Tuple {
    if (this.below(8) === 0) return this.#halfway(format);
    const a = this.#float(format);
    const b = this.below(2) ? this.#float(format) : this.#partner(format, a);
    const c = this.below(2) ? this.#float(format) : this.#addend(format, a, b);
    return { a, b, c };
  }

  #integer(): bigint {
    const size = this.pick([this.bits(64), this.#significand(64), 1n << BigInt(this.below(64))]);
    const shifted = (size >> BigInt(this.pick([0, 0, this.below(64)]))) + BigInt(this.below(5) - 2);
    return BigInt.asUintN(64, this.below(2) ? shifted : -shifted);
  }

  tuple(kind: OperandKind): Tuple {
    if (kind === 'integer') return { a: this.#integer(), b: 0n, c: 0n };
    if (kind === 'double') return this.#floats(DOUBLE);
    const { a, b, c } = this.#floats(SINGLE);
    return { a: this.#boxed(a), b: this.#boxed(b), c: this.#boxed(c) };
  }
}
