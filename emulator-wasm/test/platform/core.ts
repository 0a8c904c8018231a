/** Compiles the core's devices and SBI without the interpreter, for the tests in this folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const ASSEMBLY = join(import.meta.dirname, '../../assembly');

/** The functions that the tests call, by their names in the modules. */
const ENTRY = `
export { busRead, busWrite, busFault } from './devices/bus';
export { mtime, setMtime, skipTo } from './devices/clock';
export { pollWhile } from './mailbox';
export { plicPending, plicRaise, plicLower } from './devices/plic';
export { rtcTick, rtcDeadline } from './devices/rtc';
export { sbiCall } from './riscv/sbi';
export { uartFlush } from './devices/uart';
`;

/** Replacements for the TLB and the pages of code, which record the requested fences in H_PRIVATE. */
const TLB = `
import { H_PRIVATE, REQUEST_FENCE_I, REQUEST_SFENCE } from '../../layout';
export function fenceI(hart: usize): void {
  atomic.or<u32>(hart, REQUEST_FENCE_I, H_PRIVATE);
}
export function flushAll(hart: usize): void {
  atomic.or<u32>(hart, REQUEST_SFENCE, H_PRIVATE);
}
`;

const VIRTUAL = new Map([
  ['entry.ts', ENTRY],
  ['riscv/tlb.ts', TLB],
]);

export interface CoreExports {
  busRead(hart: number, pa: bigint, size: number): bigint;
  busWrite(hart: number, pa: bigint, size: number, value: bigint): void;
  busFault: WebAssembly.Global<'i32'>;
  mtime(hart: number): bigint;
  setMtime(hart: number, ticks: bigint): void;
  skipTo(hart: number, tick: bigint): void;
  pollWhile(word: number, value: number, deadline: number): void;
  plicPending(hart: number): number;
  plicRaise(source: number): void;
  plicLower(source: number): void;
  rtcTick(hart: number): void;
  rtcDeadline(hart: number): bigint;
  sbiCall(hart: number): void;
  uartFlush(): void;
}

export async function compileCore(): Promise<WebAssembly.Module> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main(
    [
      'entry.ts',
      ...['--outFile', 'core.wasm', '--runtime', 'stub', '--noAssert', '-O1'],
      ...['--enable', 'threads', '--importMemory', '--sharedMemory'],
      ...['--initialMemory', '1', '--maximumMemory', '65536'],
    ],
    {
      readFile: (name) => VIRTUAL.get(name) ?? readFile(join(ASSEMBLY, name), 'utf8').catch(() => null),
      writeFile: (_name, contents) => {
        if (typeof contents !== 'string') binary = new Uint8Array(contents);
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) throw new Error(`asc: ${error?.message ?? 'no output'}\n${stderr}`);
  return WebAssembly.compile(binary);
}
