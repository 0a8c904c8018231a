/**
 * Semantics of the F and D extensions, version 2.2. Operands and results are raw 64-bit registers: doubles as
 * their bits, singles NaN-boxed, integers as in the x registers. `rm` is a resolved rounding mode, 0 (RNE) to
 * 4 (RMM). Exceptions accrue in `fflags`.
 */
export * from './compare';
export * from './convert';
export * from './double';
export * from './extra';
export { fflags, getFlags, raise, setFlags } from './flags';
export * from './half';
export * from './single';
