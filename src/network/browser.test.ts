import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

test('a machine in a browser loads the NAT only when it needs it', async () => {
  const { metafile } = await build({
    entryPoints: { machine: join(import.meta.dirname, '../machine/platform/browser-machine.ts') },
    bundle: true,
    splitting: true,
    format: 'esm',
    write: false,
    metafile: true,
    outdir: 'out',
    logLevel: 'silent',
    external: ['node:*'],
  });
  const chunk = (name: string) =>
    Object.entries(metafile.outputs).find(([, { inputs }]) =>
      Object.keys(inputs).some((path) => path.endsWith(name)),
    );
  const [entry, { imports }] = chunk('/browser-machine.ts') ?? ['', { imports: [] }];
  const [nat] = chunk('/network/nat.ts') ?? [];
  expect(entry).toBe('out/machine.js');
  expect(imports).toContainEqual({ path: nat, kind: 'dynamic-import' });
  expect(imports).not.toContainEqual({ path: nat, kind: 'import-statement' });
});
