import { Installer } from '../../emulator-wasm/jit/install.ts';
import type { Translation } from '../../emulator-wasm/jit/translator.ts';
import {
  H_REQUEST,
  M_DOORBELLS,
  M_TRANSLATIONS,
  POWER_RUNNING,
  REQUEST_PAUSE,
  SERVER_MACHINE,
} from '../../emulator-wasm/layout.ts';
import { machineClock } from './clock.ts';
import type { Core } from './core.ts';
import { hartWord, isRunning, wakeTranslator } from './hart-words.ts';
import { OutputRing } from './output-ring.ts';
import type { FromHart, HartStart, ToHart } from './protocol.ts';
import { Tracer } from './trace.ts';

const FOREVER = 2n ** 62n;
/** Instructions between two reports of a traced hart. */
const TRACE_BATCH = 1000;
/** How often a hart that waits for the devices checks that the machine is still on, in ms. */
const PATIENCE = 100;

/** Runs the guest code of one hart, synchronously, until the machine stops. */
export function runHart(start: HartStart): void {
  const { hart, memory, port } = start;
  const post = (message: FromHart) => port.postMessage(message);
  const core = instantiate(start, post);
  const tracer = start.trace ? new Tracer(core, memory, hart, (text) => post({ type: 'trace', text })) : null;
  const words = new Int32Array(memory.buffer);
  let seconds = 0;
  let translations = 0;
  let waiting = false;
  const isPaused = () => (Atomics.load(words, hartWord(hart, H_REQUEST) >>> 2) & REQUEST_PAUSE) !== 0;

  const run = () => {
    const begin = performance.now();
    const power = tracer ? tracer.run(TRACE_BATCH) : core.run(hart, FOREVER);
    seconds += (performance.now() - begin) / 1000;
    if (power !== POWER_RUNNING) post({ type: 'halted', power, seconds });
    else if (tracer) post({ type: 'traced' });
    else if (isPaused()) post({ type: 'paused' });
    else waiting = true;
    proceed();
  };

  /**
   * Continues when everything that the translator has sent is installed. A message may arrive before
   * M_TRANSLATIONS counts it.
   */
  const proceed = () => {
    if (!waiting || translations < Atomics.load(words, M_TRANSLATIONS >>> 2)) return;
    waiting = false;
    run();
  };

  port.onmessage = ({ data }: MessageEvent<ToHart>) => {
    if (data.type === 'run') return run();
    if (data.type === 'resume') core.resume(hart);
    else core.reset(hart, data.pc, data.privilege, data.argument);
    post({ type: 'ready' });
  };

  if (!start.translations) return;
  let installer: Installer | undefined;
  start.translations.onmessage = ({ data }: MessageEvent<Translation>) => {
    installer ??= new Installer(core, memory, hart);
    installer.install(data);
    translations++;
    proceed();
  };
}

/** Index of the word of a thread that serves devices (SERVER_*). */
function doorbell(server: number): number {
  return (M_DOORBELLS >>> 2) + server;
}

function instantiate(start: HartStart, post: (message: FromHart) => void): Core {
  const { memory, epoch, deterministic } = start;
  const words = new Int32Array(memory.buffer);
  const ring = new OutputRing(start.output);
  const stopped = () => !isRunning(words);
  const wake = (server: number) => {
    // Without waitAsync no worker of devices can watch its word.
    if ('waitAsync' in Atomics) Atomics.notify(words, doorbell(server));
    else post({ type: 'doorbell', server });
  };
  let reported = false;
  const served = new Int32Array(start.served);
  const awaitService = (rung: number) => {
    for (let seen = Atomics.load(served, 0); ((seen - rung) | 0) < 0; seen = Atomics.load(served, 0)) {
      if (stopped()) return;
      Atomics.wait(served, 0, seen, PATIENCE);
    }
  };
  const host = {
    now: machineClock(epoch, start.latestTime && new Int32Array(start.latestTime)),
    wallClock: () => Date.now() * 1e6,
    doorbell: (server: number) => {
      wake(server);
      if (deterministic && server === SERVER_MACHINE) awaitService(Atomics.load(words, doorbell(server)));
    },
    hot: () => {
      if (!reported) post({ type: 'hot' });
      reported = true;
      wakeTranslator(words);
    },
    output: (address: number, length: number) => {
      const wakeMachine = () => {
        Atomics.add(words, doorbell(SERVER_MACHINE), 1);
        wake(SERVER_MACHINE);
      };
      ring.write(new Uint8Array(memory.buffer, address >>> 0, length), wakeMachine, stopped);
    },
  };
  const instance = new WebAssembly.Instance(start.emulator, { env: { memory }, host });
  return instance.exports as unknown as Core;
}
