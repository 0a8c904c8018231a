import {
  EXIT_BUDGET,
  EXIT_INTERPRET,
  EXIT_NOT_COMPILED,
  H_COMPILED,
  H_EXITS,
  M_EVICTIONS,
  M_REGION_BYTES,
  M_REGION_INSTRUCTIONS,
  M_REGIONS,
  M_STORED_REGIONS,
  M_TRANSLATION_TIME,
} from '../../emulator-wasm/layout.ts';
import { hartWord } from './hart-words.ts';

/** What the compiler and its code have done, in all harts. */
export interface JitStats {
  /** Regions ever compiled, instructions in them, bytes of WebAssembly. */
  readonly regions: number;
  readonly regionInstructions: number;
  readonly bytes: number;
  /** Regions of earlier runs that are used. */
  readonly storedRegions: number;
  /** That the translation to WebAssembly took, without the browser's compilation of that. */
  readonly seconds: number;
  /** Instructions retired in compiled code. */
  readonly compiled: number;
  /** Exits from compiled code: budget spent, next code not compiled, one instruction to interpret. */
  readonly exits: { readonly budget: number; readonly notCompiled: number; readonly interpret: number };
  /** How often a hart evicted the oldest part of its compiled code. */
  readonly evictions: number;
}

export function jitStats(memory: WebAssembly.Memory, harts: number): JitStats {
  const view = new DataView(memory.buffer);
  const word = (address: number) => view.getUint32(address, true);
  const sum = (offset: number) => {
    const counts = Array.from({ length: harts }, (_, hart) =>
      view.getBigUint64(hartWord(hart, offset), true),
    );
    return Number(counts.reduce((total, count) => total + count, 0n));
  };
  return {
    regions: word(M_REGIONS),
    storedRegions: word(M_STORED_REGIONS),
    regionInstructions: word(M_REGION_INSTRUCTIONS),
    bytes: word(M_REGION_BYTES),
    seconds: word(M_TRANSLATION_TIME) / 1e6,
    compiled: sum(H_COMPILED),
    exits: {
      budget: sum(H_EXITS + 8 * EXIT_BUDGET),
      notCompiled: sum(H_EXITS + 8 * EXIT_NOT_COMPILED),
      interpret: sum(H_EXITS + 8 * EXIT_INTERPRET),
    },
    evictions: word(M_EVICTIONS),
  };
}
