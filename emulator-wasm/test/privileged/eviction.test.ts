import { describe, expect, it } from 'vitest';
import type { Limits } from '../../jit/install.ts';
import { M_EVICTIONS, POWER_OFF } from '../../layout.ts';
import { inlineMachine } from '../support/inline.ts';

const LIMITS: Record<string, Limits> = {
  'few regions': { regions: 5, modules: 1000, bytes: 1 << 20 },
  'few modules': { regions: 1000, modules: 3, bytes: 1 << 20 },
  'few bytes': { regions: 1000, modules: 1000, bytes: 8 << 10 },
  'a module at a time': { regions: 1, modules: 1, bytes: 1 },
};

describe.each(Object.entries(LIMITS))('room for %s', (name, limits) => {
  const programs = ['traps.c', 'returns.c'];
  // It takes ten times as long as the others.
  if (name === 'few bytes' || process.env.LONG_TESTS) programs.push('smc.c');

  it.each(programs)('%s', async (program) => {
    const { machine, run, output } = await inlineMachine(program, { limits });
    const power = run(1n << 40n);
    expect(output()).toMatch(/passed\n$/);
    expect(power).toBe(POWER_OFF);
    expect(machine.view.getUint32(M_EVICTIONS, true)).toBeGreaterThan(10);
  });
});
