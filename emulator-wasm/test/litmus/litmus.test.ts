import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MODE_FIRMWARE, POWER_OFF } from '../../layout.ts';
import { runOnMachine } from '../support/machine.ts';
import { qemuSystem } from '../support/qemu.ts';
import { compile } from '../support/toolchain.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const COMMON = join(FOLDER, '../privileged/runtime/common');
const MACHINE = join(FOLDER, '../privileged/runtime/machine');
const SUPERVISOR = join(FOLDER, 'supervisor/runtime');
const HARTS = 4;
const TIME = 120_000;

const levels = [
  { level: 'machine', runtime: [COMMON, MACHINE], firmware: false },
  { level: 'supervisor', runtime: [COMMON, SUPERVISOR], firmware: true },
];

const programs = levels.flatMap(({ level, ...rest }) =>
  readdirSync(join(FOLDER, level))
    .filter((name) => name.endsWith('.c'))
    .map((name) => ({ name: `${level}/${name}`, source: join(FOLDER, level, name), ...rest })),
);

describe.each(programs)('$name with four harts', ({ source, runtime, firmware }) => {
  // QEMU tests the program more than the core, and is slow where harts outnumber processors.
  it.runIf(process.env.LONG_TESTS)('passes in QEMU', { timeout: TIME }, async () => {
    const elf = await compile(source, runtime);
    const { status, output } = await qemuSystem(elf, { harts: HARTS, firmware, milliseconds: TIME });
    expect(output.toString()).toMatch(/passed\r?\n$/);
    expect(status).toBe(0);
  });

  it('passes on the core', { timeout: TIME }, async () => {
    const elf = await compile(source, runtime);
    const mode = firmware ? MODE_FIRMWARE : 0;
    const { output, power, exitCode } = await runOnMachine(elf, {
      harts: HARTS,
      mode,
      milliseconds: TIME / 2,
    });
    expect(output).toMatch(/passed\n$/);
    expect({ power, exitCode }).toEqual({ power: POWER_OFF, exitCode: 0 });
  });
});
