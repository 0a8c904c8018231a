/** Fences in other harts, requested through the H_REQUEST mailbox. */
import {
  H_ID,
  H_REQUEST,
  H_RUN,
  M_POWER,
  POWER_RUNNING,
  REQUEST_FENCE_I,
  REQUEST_SFENCE,
  RUN_STARTED,
} from '../../layout';
import * as host from '../host';
import { hartBlock, sleepWhile, wake } from '../mailbox';
import { fenceI, flushAll } from './tlb';

/** Short, because other harts may wait for this one meanwhile. */
const POLL_TICKS: f64 = 500;

/**
 * Makes every hart in `targets` (one bit per hart id) serve `requests` (REQUEST_* bits). Returns when none of
 * them can run another instruction before it has done so.
 */
export function requestRemote(hart: usize, targets: u32, requests: u32): void {
  for (let rest = targets; rest != 0; rest &= rest - 1) {
    const target = hartBlock(ctz(rest));
    atomic.or<u32>(target, requests, H_REQUEST);
    if (target != hart) wake(target);
  }
  serveRequests(hart);
  const others = targets & ~(1 << load<u32>(hart, H_ID));
  for (let rest = others; rest != 0; rest &= rest - 1) awaitServed(hart, hartBlock(ctz(rest)), requests);
}

/**
 * A hart that is not RUN_STARTED serves its mailbox after it enters that state and before it runs anything.
 * Either it sees our request, or we see that it runs, and wait.
 */
function awaitServed(hart: usize, target: usize, requests: u32): void {
  while (atomic.load<u32>(M_POWER) == POWER_RUNNING) {
    const open = atomic.load<u32>(target, H_REQUEST);
    if ((open & requests) == 0 || atomic.load<u32>(target, H_RUN) != RUN_STARTED) return;
    sleepWhile(target + H_REQUEST, open, host.now() + POLL_TICKS);
    serveRequests(hart);
  }
}

/** Serves the requests of other harts. */
export function serveRequests(hart: usize): void {
  const request = atomic.load<u32>(hart, H_REQUEST) & (REQUEST_SFENCE | REQUEST_FENCE_I);
  if (request == 0) return;
  if (request & REQUEST_SFENCE) flushAll(hart);
  if (request & REQUEST_FENCE_I) fenceI(hart);
  // Last, because the requesting hart may continue as soon as the bits are clear.
  atomic.and<u32>(hart, ~request, H_REQUEST);
  atomic.notify(hart + H_REQUEST, -1);
}
