/**
 * Shows reviewers the translator's output for a few regions as text. `golden/NAME.S` is the code, and
 * `golden/NAME.wat` is the region that begins at its first instruction. A label marks an earlier jump target
 * of the guest. `npx vitest run emulator-wasm/jit/golden --update` writes the texts again.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import loadWabt from 'wabt';
import { H_F, H_SINK, H_X } from '../layout.ts';
import { assemble } from '../test/support/toolchain.ts';
import { DecodedPage, translateAlone } from '../test/support/translation.ts';

// The texts are the same on all hosts.
vi.mock('./host.ts', () => ({ isX86: false, hasSimd: () => true, fusesMultiplyAdd: () => false }));

const FOLDER = join(import.meta.dirname, 'golden');
const SOURCES = readdirSync(FOLDER).filter((name) => name.endsWith('.S'));

/** wabt's names for the parameters, in the order of REGION_SIGNATURE. */
const PARAMETERS = ['hart', 'tlb', 'page', 'budget', 'entry'];

const REGISTERS = (
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6 sink ' +
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ' +
  'ft8 ft9 ft10 ft11'
).split(' ');

let wabt: Awaited<ReturnType<typeof loadWabt>>;
beforeAll(async () => {
  wabt = await loadWabt();
});

/** The module's functions, with names for parameters and for the guest's registers in the hart's block. */
function textOf(module: Uint8Array): string {
  const parsed = wabt.readWasm(module, {
    threads: true,
    tail_call: true,
    simd: true,
    sign_extension: true,
    readDebugNames: true,
  });
  parsed.generateNames();
  parsed.applyNames();
  const text = parsed.toText({ foldExprs: true, inlineExport: true });
  parsed.destroy();
  return withoutUnused(withoutUnused(text))
    .replace(/\$p(\d)\b/g, (_, parameter) => `$${PARAMETERS[parameter]}`)
    .replace(
      /offset=(\d+) align=1(?=\s+\(local\.get \$hart\))/g,
      (_, offset) => `offset=${offset}${registerAt(Number(offset))}`,
    )
    .replaceAll(' align=1', '');
}

/** Leaves out the imports and types that nothing refers to. */
function withoutUnused(text: string): string {
  return text.replace(
    /^ *\((?:type (\$t\d+)|import "core" "\w+" \(func (\$core\.\w+)).*\n/gm,
    (line, type, name) => {
      const isUsed = text.split(new RegExp(`\\${type ?? name}\\b`)).length > 2;
      return isUsed ? line : '';
    },
  );
}

function registerAt(offset: number): string {
  const name = REGISTERS[(offset - H_X) / 8];
  return name ? ` (;${name};)` : '';
}

it('knows where registers are', () => {
  expect(registerAt(H_SINK)).toBe(' (;sink;)');
  expect(registerAt(H_F)).toBe(' (;ft0;)');
});

it.each(SOURCES)('%s is translated as before', async (source) => {
  const { bytes, labels } = await assemble(join(FOLDER, source));
  const page = await DecodedPage.create();
  page.decode(bytes);
  const region = page.region(0, (offset) => labels.includes(offset));
  expect(region).toBeDefined();
  const { module, entries } = translateAlone(region as NonNullable<typeof region>, true);
  expect(WebAssembly.validate(module)).toBe(true);
  const header = `;; entries: ${entries.map((offset) => `0x${offset.toString(16)}`).join(', ')}\n`;
  await expect(header + textOf(module)).toMatchFileSnapshot(join(FOLDER, `${basename(source, '.S')}.wat`));
});
