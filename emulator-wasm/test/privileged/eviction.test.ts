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

describe.each(Object.entries(LIMITS))('room for %s', (_, limits) => {
  it.each(['smc.c', 'traps.c', 'returns.c'])('%s', async (program) => {
    const { machine, run, output } = await inlineMachine(program, { limits });
    const power = run(1n << 40n);
    expect(output()).toMatch(/passed\n$/);
    expect(power).toBe(POWER_OFF);
    expect(machine.view.getUint32(M_EVICTIONS, true)).toBeGreaterThan(10);
  });
});
