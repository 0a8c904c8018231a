import { lendStore } from '../../storage/browser.ts';
import { MachineError, type PackedError, unpackError } from '../errors.ts';
import type { Platform } from './platform.ts';
import { SpareWorkers } from './spare-workers.ts';

// Bundlers look for exactly this expression.
const CREATE_WORKER = {
  folders: () => new Worker(new URL('./browser-folders.ts', import.meta.url), { type: 'module' }),
  hart: () => new Worker(new URL('./browser-hart.ts', import.meta.url), { type: 'module' }),
  machine: () => new Worker(new URL('./browser-machine.ts', import.meta.url), { type: 'module' }),
  translator: () => new Worker(new URL('./browser-translator.ts', import.meta.url), { type: 'module' }),
};

const WEB_ASSEMBLY = 'application/wasm';

/**
 * @param base where emulator.wasm and kernel/ are served, ending in a slash
 * @param options.release the release whose files are loaded; unless given, the server's current ones
 * @param options.harts of a machine whose workers start at once
 */
export function browserPlatform(
  base: string | URL,
  { release, harts = 0 }: { readonly release?: string | undefined; readonly harts?: number } = {},
): Platform {
  const urlOf = (path: string) => {
    const url = new URL(path, base);
    if (release !== undefined) url.searchParams.set('release', release);
    return url;
  };
  const spare = new SpareWorkers(harts, (role) => {
    const worker = CREATE_WORKER[role]();
    // Its code could not be loaded. The machine tries again, and reports that.
    worker.onerror = () => spare.drop(worker);
    return worker;
  });
  return {
    startWorker(start, transfer, onFailure) {
      const worker = spare.take(start.role);
      worker.onmessage = ({ data }: MessageEvent<PackedError>) => onFailure(unpackError(data));
      worker.onerror = ({ message }) => {
        // An event without an error means that the worker's code could not be loaded.
        const failure = message ? new Error(`the ${start.role} worker failed: ${message}`) : undefined;
        onFailure(failure ?? new MachineError(`cannot load the code of the ${start.role} worker`));
      };
      if (start.role === 'machine') {
        const lent = lendStore();
        worker.postMessage({ ...start, lent }, [...transfer, lent]);
      } else if (start.role === 'translator') {
        worker.postMessage({ ...start, scope: new URL(base, location.href).href }, transfer);
      } else worker.postMessage(start, transfer);
      return { setReferenced() {}, terminate: async () => worker.terminate() };
    },

    dismiss() {
      for (const worker of spare.clear()) worker.terminate();
    },

    async loadEmulator() {
      return WebAssembly.compileStreaming(asWebAssembly(await load(urlOf('emulator.wasm'))));
    },

    async loadFile(path) {
      const response = await load(urlOf(path));
      return new Uint8Array(await response.arrayBuffer());
    },
  };
}

/** Gives the file its type, which compilers insist on and plain file servers do not know. */
function asWebAssembly(response: Response): Response {
  if (response.headers.get('Content-Type') === WEB_ASSEMBLY) return response;
  return new Response(response.body, { headers: { 'Content-Type': WEB_ASSEMBLY } });
}

async function load(url: URL): Promise<Response> {
  const response = await fetch(url).catch((cause: unknown) => {
    throw new MachineError(`cannot load ${url}: ${cause}`);
  });
  if (!response.ok) throw new MachineError(`cannot load ${url}: the server answered ${response.status}`);
  return response;
}
