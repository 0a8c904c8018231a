/** Accrued exceptions and rounding modes: the two fields of fcsr. */

export const NX: u32 = 1; // inexact
export const UF: u32 = 2; // underflow
export const OF: u32 = 4; // overflow
export const DZ: u32 = 8; // division by zero
export const NV: u32 = 16; // invalid operation

export const RNE: i32 = 0; // to nearest, ties to even
export const RTZ: i32 = 1; // towards zero
export const RDN: i32 = 2; // down
export const RUP: i32 = 3; // up
export const RMM: i32 = 4; // to nearest, ties to max magnitude

/** The fflags of the hart that this instance runs. Operations only set bits here. */
export let fflags: u32 = 0;

@inline
export function getFlags(): u32 {
  return fflags;
}

@inline
export function setFlags(flags: u32): void {
  fflags = flags;
}

@inline
export function raise(flags: u32): void {
  fflags |= flags;
}

/** Whether the host's rounding mode applies, and NX, which the host does not report, has accrued already. */
@inline
export function hostSuffices(rm: i32): bool {
  return (rm | ((fflags & NX) ^ NX)) == 0;
}
