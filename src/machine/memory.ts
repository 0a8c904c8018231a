import {
  HART_STRIDE,
  HARTS,
  M_CODE_KEY,
  M_HARTS,
  M_MODE,
  M_PAGE_FLAGS,
  M_RAM_BASE,
  M_RAM_SIZE,
  M_TOHOST,
  MODE_ICOUNT,
  PAGE_DIRTY,
  RAM_START,
} from '../../emulator-wasm/layout.ts';
import { cpusProblem, formatSize, GUEST_PAGE, MAX_RAM, memoryProblem } from '../options/limits.mjs';
import { MachineError, MemoryRefusedError } from './errors.ts';

const WASM_PAGE = 0x1_0000;
const MIB = 0x10_0000;
const LEAST_USEFUL = 64 * MIB;

/** Where everything lies in the shared memory. Addresses are byte addresses in it, sizes in bytes. */
export interface MemoryPlan {
  readonly harts: number;
  readonly ramSize: number;
  readonly pageFlags: number;
  readonly ramBase: number;
  /** Size of the whole memory in WebAssembly pages. */
  readonly pages: number;
}

/** @throws MachineError when a machine cannot have so many harts or this much memory */
export function planMemory(harts: number, ramSize: number): MemoryPlan {
  const problem = cpusProblem(harts) ?? memoryProblem(ramSize);
  if (problem) throw new MachineError(problem);
  const most = mostMemory(harts);
  if (ramSize > most) {
    const at = `at most ${formatSize(most)} with ${harts} CPU${harts > 1 ? 's' : ''}`;
    throw new MachineError(`${formatSize(ramSize)} of memory is too much: ${at}`);
  }
  const pageFlags = pageFlagsOf(harts);
  const ramBase = roundUp(pageFlags + ramSize / GUEST_PAGE, WASM_PAGE);
  const size = roundUp(ramBase + ramSize, WASM_PAGE);
  return { harts, ramSize, pageFlags, ramBase, pages: size / WASM_PAGE };
}

/**
 * The most RAM that fits in a WebAssembly memory beside the blocks of the harts and the page flags, in whole
 * MiB.
 */
function mostMemory(harts: number): number {
  const fits = ((MAX_RAM - pageFlagsOf(harts) - WASM_PAGE) * GUEST_PAGE) / (GUEST_PAGE + 1);
  return Math.floor(fits / MIB) * MIB;
}

/**
 * Returns the memory of a machine that should have `ramSize`: a little less where only that fits beside the
 * rest.
 */
export function fitMemory(harts: number, ramSize: number): number {
  return planMemory(harts, ramSize <= MAX_RAM ? Math.min(ramSize, mostMemory(harts)) : ramSize).ramSize;
}

/**
 * Returns the memory that a machine may have whose host has refused to give it `ramSize`: half of that.
 * Undefined if Linux could do little with so few.
 */
export function lessMemory(ramSize: number): number | undefined {
  const half = Math.floor(ramSize / 2 / MIB) * MIB;
  return half < LEAST_USEFUL ? undefined : half;
}

/** The page flags hold one byte for each page of RAM. */
function pageFlagsOf(harts: number): number {
  return HARTS + harts * HART_STRIDE;
}

/**
 * Creates the memory of a machine and fills in the machine block.
 * @param mode MODE_* bits
 * @param memory from `allocateMemory`, if it is there already
 * @throws MachineError as `allocateMemory`
 */
export function createMemory(
  plan: MemoryPlan,
  mode: number,
  memory: WebAssembly.Memory = allocateMemory(plan),
): WebAssembly.Memory {
  const view = new DataView(memory.buffer);
  view.setUint32(M_HARTS, plan.harts, true);
  view.setUint32(M_MODE, mode, true);
  view.setUint32(M_RAM_BASE, plan.ramBase, true);
  view.setBigUint64(M_RAM_SIZE, BigInt(plan.ramSize), true);
  view.setUint32(M_PAGE_FLAGS, plan.pageFlags, true);
  view.setBigUint64(M_TOHOST, 0n, true);
  writeCodeKey(view, mode & MODE_ICOUNT ? FIXED_CODE_KEY : crypto.getRandomValues(new BigUint64Array(2)));
  return memory;
}

/** The key of reproducible runs: the first digits of pi. */
export const FIXED_CODE_KEY = BigUint64Array.of(0x243f_6a88_85a3_08d3n, 0x1319_8a2e_0370_7344n);

export function writeCodeKey(view: DataView, key: BigUint64Array): void {
  key.forEach((word, n) => {
    view.setBigUint64(M_CODE_KEY + 8 * n, word, true);
  });
}

/** @throws MachineError when the page may not share memory, or the host has too little of it */
export function allocateMemory(plan: MemoryPlan): WebAssembly.Memory {
  if (typeof SharedArrayBuffer === 'undefined' || globalThis.crossOriginIsolated === false) {
    throw new MachineError(
      'this page is not cross-origin isolated, so CPUs cannot share memory: its server must send the headers ' +
        '"Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp"',
    );
  }
  try {
    return new WebAssembly.Memory({ initial: plan.pages, maximum: plan.pages, shared: true });
  } catch (cause) {
    const size = formatSize(plan.pages * WASM_PAGE);
    throw new MemoryRefusedError(`the host cannot provide ${size} of memory`, { cause });
  }
}

/** Guest RAM as bytes; index 0 is guest physical address RAM_START. */
export function guestRam(memory: WebAssembly.Memory, plan: MemoryPlan): Uint8Array {
  return new Uint8Array(memory.buffer, plan.ramBase, plan.ramSize);
}

/** The PAGE_* bits of each page of guest RAM. */
export function pageFlags(memory: WebAssembly.Memory, { pageFlags, ramSize }: MemoryPlan): Uint8Array {
  return new Uint8Array(memory.buffer, pageFlags, ramSize / GUEST_PAGE);
}

/** Has the next save keep the pages of a range of guest physical addresses, which the host has written. */
export function markDirty(memory: WebAssembly.Memory, plan: MemoryPlan, start: number, end: number): void {
  const first = Math.floor((start - RAM_START) / GUEST_PAGE);
  const flags = pageFlags(memory, plan).subarray(first, Math.ceil((end - RAM_START) / GUEST_PAGE));
  for (const [page, bits] of flags.entries()) flags[page] = bits | PAGE_DIRTY;
}

/** Whether the guest physical range lies in RAM. */
export function inRam(plan: MemoryPlan, address: number, length: number): boolean {
  return address >= RAM_START && address + length <= RAM_START + plan.ramSize;
}

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
