import { MODE_ICOUNT, MODE_JIT, MODE_JIT_ALL, POWER_OFF } from '../../emulator-wasm/layout.ts';
import { locks } from '../folders/locks.ts';
import { serveLocks } from '../folders/remote-locks.ts';
import { MachineError } from './errors.ts';
import { powerDown, wakeTranslator } from './hart-words.ts';
import { allocateCode } from './image-code.ts';
import type { Setup } from './machine-options.ts';
import { OutputRing } from './output-ring.ts';
import type { Platform, WorkerHandle } from './platform/platform.ts';

const WORD_SIZE = 4;

interface Parts {
  readonly emulator: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly setup: Setup;
  /** The start of the machine's clock. */
  readonly epoch: number;
  /** The end of the owner's channel that the machine's worker gets. */
  readonly port: MessagePort;
  readonly onFailure: (error: Error) => void;
}

/**
 * The threads of a machine: one of its devices, one of each hart, the translator's once code is hot, and one
 * of its shared folders, if it has any.
 */
export class Workers {
  readonly #harts: number;
  readonly #running: WorkerHandle[] = [];
  /** Starts the translator. Nothing is left once it has started, or where nothing is compiled. */
  #translator: (() => WorkerHandle) | undefined;
  readonly #folders: (port: MessagePort) => WorkerHandle;
  #releaseLocks: (() => void) | undefined;
  #hasTranslator = false;
  #isReferenced = true;

  constructor(platform: Platform, { emulator, memory, setup, epoch, port, onFailure }: Parts) {
    const { guest, devices, plan, mode, onTrace } = setup;
    this.#harts = plan.harts;
    const common = {
      memory,
      output: OutputRing.allocate(),
      served: new SharedArrayBuffer(WORD_SIZE),
      epoch,
      latestTime: plan.harts > 1 ? new SharedArrayBuffer(WORD_SIZE) : undefined,
      deterministic: (mode & MODE_ICOUNT) !== 0,
      trace: onTrace !== undefined,
    };
    const code = mode & MODE_JIT && !(mode & MODE_JIT_ALL) ? allocateCode() : undefined;
    const translations: MessagePort[] = [];
    const harts = Array.from({ length: plan.harts }, (_, hart) => {
      const { port1, port2 } = new MessageChannel();
      const translated = mode & MODE_JIT ? new MessageChannel() : undefined;
      if (translated) translations.push(translated.port1);
      const ports = { port: port2, translations: translated?.port2 };
      const start = { ...common, role: 'hart', hart, emulator, ...ports } as const;
      const transfer = translated ? [port2, translated.port2] : [port2];
      this.#running.push(platform.startWorker(start, transfer, onFailure));
      return port1;
    });
    const start = { ...common, role: 'machine', plan, guest, devices, code, port, harts } as const;
    this.#running.push(platform.startWorker(start, [port, ...harts], onFailure));
    this.#translator = () => {
      const start = { role: 'translator', memory, emulator, harts: translations, code } as const;
      return platform.startWorker(start, translations, (error) => {
        // Its code could not be loaded, because the server has gone. The harts go on without it.
        if (error instanceof MachineError) this.#hasTranslator = false;
        else onFailure(error);
      });
    };
    this.#folders = (port) => {
      const { port1, port2 } = new MessageChannel();
      this.#releaseLocks = serveLocks(locks, port1);
      const start = { role: 'folders', memory, port, locks: port2 } as const;
      return platform.startWorker(start, [port, port2], onFailure);
    };
  }

  /** Starts the thread that serves shared folders. @param port of the device */
  startFolders(port: MessagePort): void {
    this.#add(this.#folders(port));
  }

  get hasTranslator(): boolean {
    return this.#hasTranslator;
  }

  /** Works once. The translator starts late, because short programs need none. */
  startTranslator(): void {
    const worker = this.#translator?.();
    if (!worker) return;
    this.#translator = undefined;
    this.#hasTranslator = true;
    this.#add(worker);
  }

  #add(worker: WorkerHandle): void {
    worker.setReferenced(this.#isReferenced);
    this.#running.push(worker);
  }

  /** Whether they keep Node's process alive, as they do at first. */
  setReferenced(isReferenced: boolean): void {
    this.#isReferenced = isReferenced;
    for (const worker of this.#running) worker.setReferenced(isReferenced);
  }

  /**
   * Ends them all.
   * @param memory the machine's, which nothing holds here afterwards
   */
  async end(memory: WebAssembly.Memory): Promise<void> {
    this.#translator = undefined;
    // Some versions of Safari never end a worker that waits for a change of the shared memory.
    const words = new Int32Array(memory.buffer);
    powerDown(words, this.#harts, POWER_OFF);
    wakeTranslator(words);
    await Promise.all(this.#running.map((worker) => worker.terminate()));
    this.#releaseLocks?.();
  }
}
