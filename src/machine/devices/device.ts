import type { Plain } from '../state.ts';

/** A device of the machine. */
export interface Device {
  readonly slot: number;
  /** Takes up the guest's requests, after a hart has rung the doorbell. */
  poll(): void;
  /** Finishes the requests in progress, and then leaves RAM alone. @returns what is not in shared memory */
  suspend(): Promise<Plain>;
  /** Takes over from another device. @throws StateError if no device can have been in that state */
  resume(state: Plain): Promise<void>;
  /** Serves the driver again after `suspend` or `resume`. */
  proceed(): void;
}
