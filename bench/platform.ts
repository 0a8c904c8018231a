import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodePlatform } from '../src/machine/platform/node.ts';
import type { Platform } from '../src/machine/platform/platform.ts';

export const PUBLIC = join(import.meta.dirname, '../public');

/** Returns Node's platform with the core at the path `wasm`. */
export function benchPlatform(wasm: string): Platform {
  return { ...nodePlatform(PUBLIC), loadEmulator: async () => WebAssembly.compile(await readFile(wasm)) };
}
