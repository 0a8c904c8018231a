/** Whether a state keeps everything that harts have written. */
import { planMemory } from '../../../src/machine/memory.ts';
import { restoreBlocks, saveBlocks } from '../../../src/machine/saved-blocks.ts';
import {
  H_ID,
  H_PRIVATE,
  H_REQUEST,
  H_RUN,
  H_SINK,
  H_START_LOCK,
  H_WAKE,
  HART_STRIDE,
  HARTS,
  M_HARTS,
  PLIC,
  PLIC_LEVEL,
  RUN_PAUSED,
  RUN_SLEEPING,
  RUN_STARTED,
  UART_RX_RING,
  UART_TX_LENGTH,
  VIRTIO,
} from '../../layout.ts';
import { MachineMemory } from './core.ts';

const WORD = 4;
/** Words of a hart that begin anew in each machine. */
const HART_OWN = [H_SINK, H_SINK + WORD, H_ID, H_WAKE, H_REQUEST, H_START_LOCK];

/**
 * Saves the blocks of a machine whose harts have returned from `run`, and restores them in a new one.
 * @returns the addresses of words that it has lost
 * @throws StateError if the state is refused
 */
export function lostWords(machine: MachineMemory): number[] {
  const { view } = machine;
  const harts = view.getUint32(M_HARTS, true);
  for (let hart = 0; hart < harts; hart++) {
    const run = hartBlock(hart) + H_RUN;
    if ([RUN_STARTED, RUN_SLEEPING].includes(view.getUint32(run, true)))
      view.setUint32(run, RUN_PAUSED, true);
  }
  const plan = planMemory(harts, machine.ram.length);
  const blocks = saveBlocks(machine.memory, harts, 0);
  const state = { harts, ramBytes: machine.ram.length, ...blocks, devices: [], agent: null, owner: null };
  const next = new MachineMemory(harts, machine.ram.length, 0);
  restoreBlocks(next.memory, plan, 0, state);
  return keptAddresses(harts).filter((at) => next.view.getUint32(at, true) !== view.getUint32(at, true));
}

function keptAddresses(harts: number): number[] {
  const devices = words(PLIC, VIRTIO).filter(
    (at) => at !== PLIC_LEVEL && (at < UART_TX_LENGTH || at >= UART_RX_RING),
  );
  const blocks = Array.from({ length: harts }, (_, hart) =>
    words(hartBlock(hart), hartBlock(hart) + H_PRIVATE).filter(
      (at) => !HART_OWN.includes(at - hartBlock(hart)),
    ),
  );
  return [...devices, ...blocks.flat()];
}

const hartBlock = (hart: number) => HARTS + hart * HART_STRIDE;

function words(from: number, to: number): number[] {
  return Array.from({ length: (to - from) / WORD }, (_, index) => from + index * WORD);
}
