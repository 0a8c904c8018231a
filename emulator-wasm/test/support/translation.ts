/** The translator alone: one page of code, decoded by the core, and the regions made of it. */

import { UOP_SIZE } from '../../assembly/riscv/opcodes.ts';
import { type Decoder, decoder } from '../../jit/decoder.ts';
import { IMPORTS } from '../../jit/imports.ts';
import { ModuleWriter } from '../../jit/module.ts';
import { DecodedCode, PAGE_SIZE } from '../../jit/page.ts';
import { REGION_SIGNATURE } from '../../jit/parameters.ts';
import { findRegion, type Region } from '../../jit/region.ts';
import { type TranslatedRegion, translate } from '../../jit/translate.ts';
import { H_CODE_PAGE, H_CODE_UOPS, HARTS } from '../../layout.ts';
import { coreModule, MachineMemory } from './core.ts';

const RAM_SIZE = 1 << 20;

export class DecodedPage {
  readonly #memory = new MachineMemory(1, RAM_SIZE, 0).memory;
  readonly #decoder: Decoder;

  private constructor(core: WebAssembly.Module) {
    this.#decoder = decoder(core, this.#memory);
  }

  static async create(): Promise<DecodedPage> {
    return new DecodedPage(await coreModule());
  }

  /** @param code the bytes the page begins with; the rest is zeros, which are illegal instructions */
  decode(code: Uint8Array): void {
    const bytes = new Uint8Array(this.#memory.buffer, HARTS + H_CODE_PAGE, PAGE_SIZE);
    bytes.fill(0);
    bytes.set(code);
    this.#decoder.decodePage(HARTS);
  }

  /** Changes the operation of the instruction at an offset, as a decoder with other instructions would. */
  setOperation(offset: number, op: number): void {
    new DataView(this.#memory.buffer).setUint16(HARTS + H_CODE_UOPS + (offset >> 1) * UOP_SIZE, op, true);
  }

  /** See findRegion. */
  region(
    hot: number,
    executed: (offset: number) => boolean = () => true,
    isEntry: (offset: number) => boolean = () => false,
  ): Region | undefined {
    const { buffer } = this.#memory;
    const page = new DecodedCode({ buffer, uops: HARTS + H_CODE_UOPS, hash: 1n }, 0, executed);
    const pageAt = (number: number) => (number === 0 ? page : undefined);
    const straddling = () => {
      throw new Error('there is no second page');
    };
    return findRegion({ pageAt, straddling, isEntry }, hot);
  }
}

/** A module of one region. */
export function translateAlone(
  region: Region,
  wide: boolean,
): { module: Uint8Array<ArrayBuffer> } & TranslatedRegion {
  const writer = new ModuleWriter(REGION_SIGNATURE, IMPORTS);
  const translated = translate(region, wide);
  writer.add(translated.function);
  return { ...translated, module: writer.finish() };
}
