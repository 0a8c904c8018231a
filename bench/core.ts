/**
 * Runs a bare-metal ELF on one hart of the core, in the calling thread and with no devices but
 * those inside the core. Works in Node and in a browser's worker.
 */
import * as layout from '../emulator-wasm/layout.ts';

const RAM_SIZE = 64 << 20;
const PAGE = 4096;
const WASM_PAGE = 65536;
const PRIV_MACHINE = 3;

type Run = (hart: number, instructions: bigint) => number;
type Reset = (hart: number, pc: bigint, priv: number, a1: bigint) => void;

/** Copies the loadable segments of an ELF64 into guest RAM at `ramBase`; returns its entry point. */
function loadElf(elf: Uint8Array, memory: Uint8Array, ramBase: number): bigint {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  const headers = Number(view.getBigUint64(0x20, true));
  const headerSize = view.getUint16(0x36, true);
  const headerCount = view.getUint16(0x38, true);
  for (let index = 0; index < headerCount; index++) {
    const header = headers + index * headerSize;
    if (view.getUint32(header, true) !== 1) continue; // PT_LOAD
    const offset = Number(view.getBigUint64(header + 0x08, true));
    const address = Number(view.getBigUint64(header + 0x18, true));
    const length = Number(view.getBigUint64(header + 0x20, true));
    memory.set(elf.subarray(offset, offset + length), ramBase + address - layout.RAM_START);
  }
  return view.getBigUint64(0x18, true);
}

/** Runs `elf` until it powers off, and returns what it printed. */
export function runOnCore(module: WebAssembly.Module, elf: Uint8Array): string {
  const pageFlags = layout.HARTS + layout.HART_STRIDE;
  const ramBase = Math.ceil((pageFlags + RAM_SIZE / PAGE) / WASM_PAGE) * WASM_PAGE;
  const pages = (ramBase + RAM_SIZE) / WASM_PAGE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const bytes = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);

  view.setUint32(layout.M_HARTS, 1, true);
  view.setUint32(layout.M_MODE, 0, true);
  view.setUint32(layout.M_RAM_BASE, ramBase, true);
  view.setBigUint64(layout.M_RAM_SIZE, BigInt(RAM_SIZE), true);
  view.setUint32(layout.M_PAGE_FLAGS, pageFlags, true);
  const entry = loadElf(elf, bytes, ramBase);

  let output = '';
  const start = performance.now();
  const host = {
    now: () => (performance.now() - start) * (layout.TIMEBASE / 1000),
    wallClock: () => Date.now() * 1e6,
    output: (address: number, length: number) => {
      output += new TextDecoder().decode(bytes.slice(address >>> 0, (address >>> 0) + length));
    },
    doorbell: () => {},
  };
  const core = new WebAssembly.Instance(module, { env: { memory }, host }).exports;
  (core.reset as Reset)(0, entry, PRIV_MACHINE, 0n);
  const power = (core.run as Run)(0, 0x7fff_ffff_ffff_ffffn);
  if (power !== layout.POWER_OFF) throw new Error(`the hart ended with power state ${power}: ${output}`);
  return output;
}
