import { runOnCore } from '../core.ts';

const module = WebAssembly.compileStreaming(fetch('/emulator.wasm'));

self.onmessage = async ({ data: url }) => {
  try {
    const elf = await (await fetch(url)).arrayBuffer();
    self.postMessage({ output: runOnCore(await module, new Uint8Array(elf)) });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
