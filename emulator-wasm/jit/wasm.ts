/** Writes the code of a WebAssembly function, with its labels and locals. */

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof I64 | typeof F32 | typeof F64 | typeof V128;

/** Instructions of one byte, and loads and stores, named as in the specification. */
export const wasm = {
  unreachable: 0x00,
  else: 0x05,
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  i32Load: 0x28,
  i64Load: 0x29,
  f32Load: 0x2a,
  f64Load: 0x2b,
  i32Load8U: 0x2d,
  i32Load16U: 0x2f,
  i64Load8S: 0x30,
  i64Load8U: 0x31,
  i64Load16S: 0x32,
  i64Load16U: 0x33,
  i64Load32S: 0x34,
  i64Load32U: 0x35,
  i32Store: 0x36,
  i64Store: 0x37,
  f64Store: 0x39,
  i32Store8: 0x3a,
  i32Store16: 0x3b,
  i64Store8: 0x3c,
  i64Store16: 0x3d,
  i64Store32: 0x3e,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtS: 0x4a,
  i32GtU: 0x4b,
  i32LeS: 0x4c,
  i32GeS: 0x4e,
  i64Eqz: 0x50,
  i64Eq: 0x51,
  i64Ne: 0x52,
  i64LtS: 0x53,
  i64LtU: 0x54,
  i64GtS: 0x55,
  i64GtU: 0x56,
  i64LeU: 0x58,
  i64GeS: 0x59,
  i64GeU: 0x5a,
  f32Eq: 0x5b,
  f32Lt: 0x5d,
  f32Le: 0x5f,
  f64Eq: 0x61,
  f64Ne: 0x62,
  f64Lt: 0x63,
  f64Le: 0x65,
  f64Ge: 0x66,
  i32Clz: 0x67,
  i32Ctz: 0x68,
  i32Popcnt: 0x69,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32RemU: 0x70,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrS: 0x75,
  i32ShrU: 0x76,
  i32Rotl: 0x77,
  i32Rotr: 0x78,
  i64Clz: 0x79,
  i64Ctz: 0x7a,
  i64Popcnt: 0x7b,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64DivS: 0x7f,
  i64DivU: 0x80,
  i64RemS: 0x81,
  i64RemU: 0x82,
  i64And: 0x83,
  i64Or: 0x84,
  i64Xor: 0x85,
  i64Shl: 0x86,
  i64ShrS: 0x87,
  i64ShrU: 0x88,
  i64Rotl: 0x89,
  i64Rotr: 0x8a,
  f32Neg: 0x8c,
  f32Sqrt: 0x91,
  f32Add: 0x92,
  f32Sub: 0x93,
  f32Mul: 0x94,
  f32Div: 0x95,
  f32Min: 0x96,
  f32Max: 0x97,
  f64Abs: 0x99,
  f64Neg: 0x9a,
  f64Ceil: 0x9b,
  f64Floor: 0x9c,
  f64Trunc: 0x9d,
  f64Nearest: 0x9e,
  f64Sqrt: 0x9f,
  f64Add: 0xa0,
  f64Sub: 0xa1,
  f64Mul: 0xa2,
  f64Div: 0xa3,
  f64Min: 0xa4,
  f64Max: 0xa5,
  i32WrapI64: 0xa7,
  i32TruncF64S: 0xaa,
  i32TruncF64U: 0xab,
  i64ExtendI32S: 0xac,
  i64ExtendI32U: 0xad,
  i64TruncF64S: 0xb0,
  i64TruncF64U: 0xb1,
  f32ConvertI32S: 0xb2,
  f32ConvertI32U: 0xb3,
  f32ConvertI64S: 0xb4,
  f32ConvertI64U: 0xb5,
  f32DemoteF64: 0xb6,
  f64ConvertI32S: 0xb7,
  f64ConvertI32U: 0xb8,
  f64ConvertI64S: 0xb9,
  f64ConvertI64U: 0xba,
  f64PromoteF32: 0xbb,
  i32ReinterpretF32: 0xbc,
  i64ReinterpretF64: 0xbd,
  f32ReinterpretI32: 0xbe,
  f64ReinterpretI64: 0xbf,
  i64Extend8S: 0xc2,
  i64Extend16S: 0xc3,
  i64Extend32S: 0xc4,
} as const;

/** An atomic operation, and the logarithm of its width. */
interface AtomicOperation {
  readonly code: number;
  readonly alignment: number;
}

/** Atomics of integers of 32 or 64 bits. */
export type AtomicCode = ReturnType<typeof atomicCodes>;

export function atomicCodes(type: typeof I32 | typeof I64) {
  const of = (code32: number) =>
    type === I32 ? { code: code32, alignment: 2 } : { code: code32 + 1, alignment: 3 };
  return {
    load: of(0x10),
    add: of(0x1e),
    and: of(0x2c),
    or: of(0x33),
    xor: of(0x3a),
    exchange: of(0x41),
    compareExchange: of(0x48),
  };
}

const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const END = 0x0b;
const BR = 0x0c;
const BR_IF = 0x0d;
const BR_TABLE = 0x0e;
const CALL = 0x10;
const TAIL_CALL = 0x12;
const TAIL_CALL_INDIRECT = 0x13;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const GLOBAL_GET = 0x23;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const F32_CONST = 0x43;
const F64_CONST = 0x44;
const SIMD_PREFIX = 0xfd;
const ATOMIC_PREFIX = 0xfe;
const EMPTY_TYPE = 0x40;
/** A hint of the branch hinting proposal has a length, and says that the condition is unlikely. */
const UNLIKELY = [1, 0];

/** The target of a branch, made by `Code.block` and `Code.loop`. */
export type Label = { readonly depth: number };

/** A growing buffer of bytes. */
export class Bytes {
  #bytes = new Uint8Array(1024);
  length = 0;

  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.length++] = value;
  }

  bytes(values: ArrayLike<number>): void {
    if (this.length + values.length > this.#bytes.length) this.#grow(values.length);
    this.#bytes.set(values, this.length);
    this.length += values.length;
  }

  /** Unsigned LEB128. */
  unsigned(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  name(text: string): void {
    this.unsigned(text.length);
    for (let n = 0; n < text.length; n++) this.byte(text.charCodeAt(n));
  }

  /** The bytes written so far, valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  copy(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length);
  }

  #grow(least: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + least));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** A place in a function where it reads an imported global. */
export interface GlobalUse {
  readonly name: number;
  /** Where the global's index begins. */
  readonly at: number;
}

/** A function apart from the modules that it may be in, in which the globals have other indices. */
export interface FunctionBody {
  /** Locals and instructions, as in the code section. */
  readonly bytes: Uint8Array;
  /** As in the section of branch hints. */
  readonly hints: Uint8Array;
  readonly globals: readonly GlobalUse[];
}

/** The length of the longest unsigned LEB128 of 32 bits. */
const LONGEST = 5;

/** The index of a global as it is in a function: LEB128, as long as it may be. */
function indexBytes(index: number): number[] {
  const parts = Array.from({ length: LONGEST }, (_, n) => (index >>> (7 * n)) & 0x7f);
  return parts.map((part, n) => (n < LONGEST - 1 ? part | 0x80 : part));
}

/** Whether the function has such a place, as `global` writes it. */
export function usesGlobal({ bytes }: FunctionBody, { at }: GlobalUse): boolean {
  return bytes[at - 1] === GLOBAL_GET && indexBytes(0).every((byte, n) => bytes[at + n] === byte);
}

/** Returns the function's bytes with the indices of its globals. */
export function withIndices(body: FunctionBody, indexOf: (name: number) => number): Uint8Array {
  if (body.globals.length === 0) return body.bytes;
  const bytes = body.bytes.slice();
  for (const { name, at } of body.globals) bytes.set(indexBytes(indexOf(name)), at);
  return bytes;
}

/** The code of a function while it is written. */
export class Code {
  /** Its bytes. Until V8 has optimised the translator, one `push` is faster than a function for each byte. */
  readonly #out: number[] = [];
  readonly #parameters: number;
  readonly #locals: ValueType[] = [];
  /** The offsets of unlikely conditions. */
  readonly #unlikely: number[] = [];
  readonly #globals: GlobalUse[] = [];
  #depth = 0;

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  local(type: ValueType): number {
    return this.#parameters + this.#locals.push(type) - 1;
  }

  op(code: number): void {
    this.#out.push(code);
  }

  ops(...codes: number[]): void {
    this.#out.push(...codes);
  }

  get(local: number): void {
    this.#withIndex(LOCAL_GET, local);
  }

  set(local: number): void {
    this.#withIndex(LOCAL_SET, local);
  }

  tee(local: number): void {
    this.#withIndex(LOCAL_TEE, local);
  }

  /** An instruction with an unsigned LEB128. */
  #withIndex(code: number, index: number): void {
    if (index < 0x80) this.#out.push(code, index);
    else {
      this.#out.push(code);
      this.#unsigned(index);
    }
  }

  #unsigned(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#out.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.#out.push(rest);
  }

  /** An instruction with a signed LEB128 of an integer of 32 bits. */
  #withSigned(code: number, value: number): void {
    if (value >= -0x40 && value < 0x40) this.#out.push(code, value & 0x7f);
    else if (value >= -0x2000 && value < 0x2000)
      this.#out.push(code, (value & 0x7f) | 0x80, (value >> 7) & 0x7f);
    else {
      this.#out.push(code);
      let rest = value;
      while (rest < -0x40 || rest > 0x3f) {
        this.#out.push((rest & 0x7f) | 0x80);
        rest >>= 7;
      }
      this.#out.push(rest & 0x7f);
    }
  }

  i32(value: number): void {
    this.#withSigned(I32_CONST, value | 0);
  }

  /** @param value a safe integer */
  i64(value: number): void {
    if (value === (value | 0)) this.#withSigned(I64_CONST, value);
    else this.i64Bits(BigInt(value));
  }

  i64Bits(value: bigint): void {
    this.#out.push(I64_CONST);
    let rest = BigInt.asIntN(64, value);
    while (rest < -0x40n || rest > 0x3fn) {
      this.#out.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#out.push(Number(rest & 0x7fn));
  }

  /** An imported global, which gets its index in a module. */
  global(name: number): void {
    this.#out.push(GLOBAL_GET);
    this.#globals.push({ name, at: this.#out.length });
    this.#out.push(...indexBytes(0));
  }

  f32(value: number): void {
    this.#out.push(F32_CONST, ...new Uint8Array(Float32Array.of(value).buffer));
  }

  f64(value: number): void {
    this.#out.push(F64_CONST, ...new Uint8Array(Float64Array.of(value).buffer));
  }

  /** A load or store. The alignment is a hint, and ours claims none. */
  memory(code: number, offset: number): void {
    if (offset < 0x80) this.#out.push(code, 0, offset);
    else if (offset < 0x4000) this.#out.push(code, 0, (offset & 0x7f) | 0x80, offset >> 7);
    else {
      this.#out.push(code, 0);
      this.#unsigned(offset);
    }
  }

  /** Pushes a * b + c of doubles in locals, by the relaxed SIMD operation that may round once or twice. */
  multiplyAdd(a: number, b: number, c: number): void {
    for (const local of [a, b, c]) {
      this.get(local);
      this.ops(SIMD_PREFIX, 0x14); // f64x2.splat
    }
    this.ops(SIMD_PREFIX, 0x87, 0x02); // f64x2.relaxed_madd
    this.ops(SIMD_PREFIX, 0x21, 0); // f64x2.extract_lane
  }

  /** Instructions on vectors, without immediates. */
  simd(...codes: number[]): void {
    for (const code of codes) {
      this.#out.push(SIMD_PREFIX);
      this.#unsigned(code);
    }
  }

  /** A vector's load or store, which claims no alignment. */
  simdMemory(code: number, offset: number): void {
    this.#out.push(SIMD_PREFIX, code, 0);
    this.#unsigned(offset);
  }

  /** A constant vector, or with another code the selection of its bytes. */
  simdBytes(code: number, bytes: readonly number[]): void {
    this.#out.push(SIMD_PREFIX, code, ...bytes);
  }

  /** Extracts a lane. */
  simdLane(code: number, lane: number): void {
    this.#out.push(SIMD_PREFIX, code, lane);
  }

  fence(): void {
    this.ops(ATOMIC_PREFIX, 0x03, 0x00);
  }

  /** An atomic. Its alignment is that of its width. */
  atomic({ code, alignment }: AtomicOperation, offset = 0): void {
    this.ops(ATOMIC_PREFIX, code, alignment);
    this.#unsigned(offset);
  }

  call(index: number): void {
    this.#withIndex(CALL, index);
  }

  tailCall(index: number): void {
    this.#withIndex(TAIL_CALL, index);
  }

  /** Calls the function of this type whose index in the table is on the stack. */
  tailCallIndirect(type: number): void {
    this.#withIndex(TAIL_CALL_INDIRECT, type);
    this.#out.push(0);
  }

  block(): Label {
    return this.#open(BLOCK, EMPTY_TYPE);
  }

  loop(): Label {
    return this.#open(LOOP, EMPTY_TYPE);
  }

  /** @param type the type of the value that both arms leave */
  if(type?: ValueType): Label {
    return this.#open(IF, type ?? EMPTY_TYPE);
  }

  /** An `if` with an unlikely condition. */
  ifUnlikely(): Label {
    this.#unlikely.push(this.#out.length);
    return this.if();
  }

  else(): void {
    this.#out.push(wasm.else);
  }

  end(): void {
    this.#out.push(END);
    this.#depth--;
  }

  br(label: Label): void {
    this.#withIndex(BR, this.#depth - label.depth);
  }

  /** A branch that is unlikely to be taken. */
  brIfUnlikely(label: Label): void {
    this.#unlikely.push(this.#out.length);
    this.brIf(label);
  }

  brIf(label: Label): void {
    this.#withIndex(BR_IF, this.#depth - label.depth);
  }

  brTable(labels: readonly Label[], otherwise: Label): void {
    this.#withIndex(BR_TABLE, labels.length);
    for (const label of labels) this.#unsigned(this.#depth - label.depth);
    this.#unsigned(this.#depth - otherwise.depth);
  }

  /** @param begin writes the code that comes first but is known last */
  finish(begin: (prologue: Code) => void = () => {}): FunctionBody {
    const prologue = new Code(0);
    begin(prologue);
    const body = this.#localsVector();
    body.bytes(prologue.#out);
    const before = body.length;
    body.bytes(this.#out);
    body.byte(END);
    const hints = new Bytes();
    hints.unsigned(this.#unlikely.length);
    for (const offset of this.#unlikely) {
      hints.unsigned(before + offset);
      hints.bytes(UNLIKELY);
    }
    const globals = this.#globals.map(({ name, at }) => ({ name, at: before + at }));
    return { bytes: body.copy(), hints: hints.copy(), globals };
  }

  #localsVector(): Bytes {
    const vector = new Bytes();
    const groups: { type: ValueType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = groups.at(-1);
      if (last?.type === type) last.count++;
      else groups.push({ type, count: 1 });
    }
    vector.unsigned(groups.length);
    for (const { type, count } of groups) {
      vector.unsigned(count);
      vector.byte(type);
    }
    return vector;
  }

  #open(code: number, type: number): Label {
    this.#out.push(code, type);
    return { depth: ++this.#depth };
  }
}
