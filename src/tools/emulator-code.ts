/** Runs a program of another processor, and writes what the JIT compiles of its emulator, for the set-up. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shipPack } from '../../emulator-wasm/jit/pack.ts';
import { portableVersion, translatorVersion } from '../../emulator-wasm/jit/version.ts';
import { Container, configure } from '../api/node.ts';
import { nodeStore } from '../storage/node.ts';

/** A later run compiles what an earlier one had no credit for. */
const RUNS = 2;

/** An image layout, its layer's diffID, a shell script, the emulator, and the file to write. */
const [layout = '', layer = '', script = '', emulator = '', target = ''] = process.argv.slice(2);
const store = join(layout, 'store');
configure({ store });
for (let run = 0; run < RUNS; run++) {
  const container = await new Container(`oci://${layout}`).entrypoint(['sh', '-c', script]).run();
  const status = await container.wait();
  if (status !== 0) throw new Error(`the script ended with status ${status}`);
}
const pack = await nodeStore(store).code.get([layer], translatorVersion());
writeFileSync(target, shipPack(pack, readFileSync(emulator), portableVersion()));
