import { Installer } from '../../emulator-wasm/jit/install.ts';
import type { Translation } from '../../emulator-wasm/jit/translator.ts';
import {
  H_REQUEST,
  M_DOORBELL,
  M_TRANSLATIONS,
  POWER_RUNNING,
  REQUEST_PAUSE,
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

function instantiate(start: HartStart, post: (message: FromHart) => void): Core {
  const { memory, epoch, deterministic } = start;
  const words = new Int32Array(memory.buffer);
  const ring = new OutputRing(start.output);
  const stopped = () => !isRunning(words);
  const wakeMachine = () => {
    // Without waitAsync the machine worker cannot watch the word.
    if ('waitAsync' in Atomics) Atomics.notify(words, M_DOORBELL >>> 2);
    else post({ type: 'doorbell' });
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
    doorbell: () => {
      wakeMachine();
      if (deterministic) awaitService(Atomics.load(words, M_DOORBELL >>> 2));
    },
    hot: () => {
      if (!reported) post({ type: 'hot' });
      reported = true;
      wakeTranslator(words);
    },
    output: (address: number, length: number) => {
      const wake = () => {
        Atomics.add(words, M_DOORBELL >>> 2, 1);
        wakeMachine();
      };
      ring.write(new Uint8Array(memory.buffer, address >>> 0, length), wake, stopped);
    },
  };
  const instance = new WebAssembly.Instance(start.emulator, { env: { memory }, host });
  return instance.exports as unknown as Core;
}
