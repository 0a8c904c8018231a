/**
 * Runs `bench/guest/net.c` with the query's words as its arguments, behind the relay of the page's server.
 * The browser writes the console to its standard error, so that no debugger slows the relay's WebSocket
 * down.
 */
import { Machine } from '../../src/machine/machine.ts';
import { browserPlatform } from '../../src/machine/platform/browser.ts';
import { KERNEL, MEMORY_MIB } from '../linux.ts';

async function run(): Promise<void> {
  const platform = browserPlatform(location.href);
  const machine = await Machine.start(platform, {
    emulator: await platform.loadEmulator(),
    kernel: await platform.loadFile(KERNEL),
    initrd: new Uint8Array(await (await fetch('/guest.cpio')).arrayBuffer()),
    cpus: 1,
    memoryBytes: MEMORY_MIB * 2 ** 20,
    commandLine: 'quiet',
    network: { relay: { kind: 'own', base: new URL('/', location.href).href } },
  });
  const words = new URLSearchParams(location.search).getAll('word');
  const { stdout } = machine.run({ args: ['/bench/net', ...words] });
  const reader = stdout.pipeThrough(new TextDecoderStream()).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) console.log(next.value.trim());
  console.log('end');
}

run().catch((error) => console.log(`error ${error}`));
