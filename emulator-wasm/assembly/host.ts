/** What the core asks of its host: the only imports beside the shared memory. */

/** Ticks of TIMEBASE since the machine started, the same clock in every hart. */
@external("host", "now")
export declare function now(): f64;

/** Nanoseconds since 1970-01-01 UTC. */
@external("host", "wallClock")
export declare function wallClock(): f64;

/** Bytes the guest sent to the UART or to the SBI debug console. */
@external("host", "output")
export declare function output(address: usize, length: i32): void;

/** Wakes the machine worker after M_DOORBELL was incremented. */
@external("host", "doorbell")
export declare function doorbell(): void;

/** Wakes the translator after code was reported in H_HOT_SLOTS; in one thread, may call `install` meanwhile. */
@external("host", "hot")
export declare function hot(): void;
