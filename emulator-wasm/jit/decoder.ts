/** What the translator uses of an instance of the core. */
export interface Decoder {
  /** Takes the address of a hart's block, whose code page it decodes, and returns a hash of the page. */
  decodePage(hart: number): bigint;
  /** Decodes an instruction that begins in the last two bytes of a page, to the page's first micro-op. */
  decodeStraddling(hart: number, bits: number): void;
  /** The hash of the code page alone. */
  hashCodePage(hart: number): bigint;
}

/** Returns an instance of the core that only decodes and has no host. */
export function decoder(emulator: WebAssembly.Module, memory: WebAssembly.Memory): Decoder {
  const unused = () => {
    throw new Error('the translator runs no guest code');
  };
  const host = { now: unused, wallClock: unused, output: unused, doorbell: unused, hot: unused };
  const { exports } = new WebAssembly.Instance(emulator, { env: { memory }, host });
  return exports as unknown as Decoder;
}
