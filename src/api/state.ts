export { type Plain, StateReader } from '../machine/state.ts';
