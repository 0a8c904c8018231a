/** The core's calls to its host, which are its only imports besides the shared memory. */

/** Ticks of TIMEBASE since the machine started. All harts share this clock. */
@external("host", "now")
export declare function now(): f64;

/** Nanoseconds since 1970-01-01 UTC. */
@external("host", "wallClock")
export declare function wallClock(): f64;

/** Passes on bytes that the guest sent to the UART or to the SBI debug console. */
@external("host", "output")
export declare function output(address: usize, length: i32): void;

/** Wakes a thread that serves devices (SERVER_*) after an increment of its word in M_DOORBELLS. */
@external("host", "doorbell")
export declare function doorbell(server: u32): void;

/** Wakes the translator after a report of code in H_HOT_SLOTS. In a single thread it may call `install`. */
@external("host", "hot")
export declare function hot(): void;
