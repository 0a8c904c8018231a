export { fitMemory } from '../machine/memory.ts';
