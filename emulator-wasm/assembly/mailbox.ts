import { H_WAKE, HART_STRIDE, HARTS, M_HARTS } from '../layout';

/** Address of the block of hart `id`, which must be below M_HARTS. */
export function hartBlock(id: u32): usize {
  return HARTS + id * HART_STRIDE;
}

/** Ends the hart's sleep, if it sleeps, so that it looks at its mailbox and interrupts again. */
export function wake(hart: usize): void {
  atomic.add<u32>(hart, 1, H_WAKE);
  atomic.notify(hart + H_WAKE);
}

export function wakeAll(): void {
  const harts = load<u32>(M_HARTS);
  for (let id: u32 = 0; id < harts; id++) wake(hartBlock(id));
}
