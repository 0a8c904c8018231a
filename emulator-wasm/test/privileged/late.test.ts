import { expect, it } from 'vitest';
import { H_COMPILED, H_INSTRET, HARTS, POWER_OFF, POWER_RUNNING } from '../../layout.ts';
import { inlineMachine } from '../support/inline.ts';

/** Instructions until what is reported is compiled, and at times more, so that calls get deep. */
const FEW = 300n;
const MANY = 20_000n;

/**
 * Code that is compiled before it first runs is compiled alone: without the code to which it returns, and
 * without other pages.
 */
it.each(['nested.c', 'pages.c', 'calls.c', 'returns.c', 'smc.c', 'words.c'])(
  '%s, compiled when it has run for a while',
  { timeout: 60_000 },
  async (program) => {
    const { machine, run, translate, output } = await inlineMachine(program, { late: true });
    let power = POWER_RUNNING;
    for (let n = 1; power === POWER_RUNNING; n++) {
      power = run(n % 50 === 0 ? MANY : FEW);
      translate();
    }
    expect(output()).toMatch(/passed\n$/);
    expect(power).toBe(POWER_OFF);
    const word = (offset: number) => Number(machine.view.getBigUint64(HARTS + offset, true));
    const compiled = word(H_COMPILED) / word(H_INSTRET);
    expect(compiled).toBeGreaterThan(0.5);
    expect(compiled).toBeLessThan(1);
  },
);
