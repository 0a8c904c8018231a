/** Counts vector instructions, because a program of group V executes several times as many others. */
import { RAM_START } from '../../layout.ts';
import type { Core } from '../support/core.ts';
import { buildBatch, type Identity, type Placed, runOnCore } from './batch.ts';
import { MODES } from './campaign.ts';
import { CODE_START } from './firmware.ts';
import { decode } from './instructions.ts';

/**
 * Returns the number of random vector instructions that take effect in the first round of programs. Those
 * that trap do not count, nor those that set all registers at the start, write traces and hash them.
 */
export function countVectors(core: Core, programs: readonly Identity[], interval: number): number {
  const batch = buildBatch(programs, interval);
  const vectors = new Set(batch.programs.flatMap((placed) => vectorAddresses(batch.image, placed)));
  let count = 0;
  let before = false;
  const step = (pc: number) => {
    if (before && pc >= CODE_START) count++;
    before = vectors.has(pc);
  };
  const flat = MODES.find(({ paged }) => !paged);
  if (flat) runOnCore(core, batch, { ...flat, stride: 1 }, step);
  return count;
}

function vectorAddresses(image: Uint8Array, { layout }: Placed): number[] {
  const view = new DataView(image.buffer);
  const addresses: number[] = [];
  for (const [number, { from, to }] of layout.checkpoints.entries()) {
    if (number === layout.first) continue;
    for (let pc = from; pc < to; ) {
      const low = view.getUint16(pc - RAM_START, true);
      const size = (low & 3) === 3 ? 4 : 2;
      const extension = size === 4 && decode(view.getUint32(pc - RAM_START, true))?.instruction.extension;
      if (extension === 'V' || extension === 'Zvbb') addresses.push(pc);
      pc += size;
    }
  }
  return addresses;
}
