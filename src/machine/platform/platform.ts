import type { WorkerStart } from '../protocol.ts';
import type { SavedMachine } from '../state.ts';

/** What a machine needs from the browser or Node. */
export interface Platform {
  /**
   * Starts a worker that becomes the part of the machine which `start` describes: `runHart`, for example.
   * @param onFailure called when it throws, rejects, or ends by itself
   */
  startWorker(start: WorkerStart, transfer: Transferable[], onFailure: (error: Error) => void): WorkerHandle;
  /** The compiled core. @throws MachineError when it is missing */
  loadEmulator(): Promise<WebAssembly.Module>;
  /** A file of the `public` folder. @throws MachineError when it is missing */
  loadFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The saved machine of `src/container/booted.ts`, if it is at hand in another form than its file. */
  openBooted?(emulator: WebAssembly.Module): Promise<SavedMachine>;
  /** Ends workers that were started in advance, because no machine needs them. */
  dismiss?(): void;
}

export interface WorkerHandle {
  /** Whether Node's process stays alive as long as the worker does. It does at first. */
  setReferenced(isReferenced: boolean): void;
  /** Ends the worker, even while it is busy; resolves when it is gone, or hangs in a call of the host. */
  terminate(): Promise<void>;
}
