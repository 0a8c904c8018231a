/**
 * Calls new functions on a stage of their own, so that the engine compiles them before a hart needs them.
 * WebKit interprets a function until it has been called ten to thirty times, and then compiles it behind the
 * functions that it optimises. Other engines compile a function before they run it.
 */
import { DISPATCH } from './dispatch.ts';
import { IMPORTS, importsWith } from './imports.ts';
import { ModuleWriter, type Signature } from './module.ts';
import { LEFT } from './parameters.ts';
import type { Translation } from './translator.ts';
import { Code, I32, I64, wasm } from './wasm.ts';

/** More than an engine's interpreter waits for. */
const CALLS = 40;

/** The stage: the hart's block, all zeros, and TLBs in which nothing is found. */
const HART = 0;
const TLB = 0x1_0000;
const PAGES = 0x10;

/** The trial's operations in a round, its rounds, and its calls that are timed, too few for compilation. */
const OPERATIONS = 10_000;
const ROUNDS = 8;
const TIMED_CALLS = 2;
const TRIAL_SIGNATURE: Signature = { parameters: [I32], results: [I32] };
/** How many times faster a compiled function is at least. */
const FASTER = 3;
/** What the clocks of browsers tell apart, in ms. */
const CLOCK_STEP = 0.02;
/** How often the trial is timed again, because the engine may have other functions to compile. */
const ATTEMPTS = 100;

type Trial = (rounds: number) => number;
type RegionFunction = (hart: number, tlb: number, page: bigint, budget: number, selector: number) => number;

export class Rehearsal {
  readonly #now: () => number;
  /** Made when it is needed: WebKit makes accesses fast for the first eight memories of a process only. */
  #stage: Stage | undefined;
  readonly #waiting: Translation[] = [];
  #attempts = 0;
  #interprets = false;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Takes stored regions only: a hart needs others at once. */
  add(translation: Translation): void {
    const isStored = translation.regions[0]?.stored !== undefined;
    if (isStored && this.#attempts < ATTEMPTS) this.#waiting.push(translation);
  }

  /** Calls a module's functions if the engine interprets first. @returns whether to proceed again */
  proceed(): boolean {
    if (this.#waiting.length === 0) return false;
    this.#stage ??= new Stage(this.#now);
    this.#interprets ||= this.#stage.isTrialCompiled();
    if (this.#interprets) this.#stage.rehearse(this.#waiting.shift() as Translation);
    else if (++this.#attempts === ATTEMPTS) this.#leave();
    return this.#waiting.length > 0;
  }

  #leave(): void {
    this.#waiting.length = 0;
    this.#stage = undefined;
  }
}

class Stage {
  /** Shared, as the machine's is, because engines compile a function for one kind of memory. */
  readonly #memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  readonly #imports: WebAssembly.Imports = { env: { memory: this.#memory }, core: zeros() };
  readonly #now: () => number;
  readonly #trial: Trial;
  readonly #firstTime: number;

  constructor(now: () => number) {
    this.#now = now;
    new Uint8Array(this.#memory.buffer).fill(0xff, TLB);
    this.#trial = new WebAssembly.Instance(trialModule(), this.#imports).exports[0] as Trial;
    // Some engines compile a function at its first call.
    this.#trial(ROUNDS);
    this.#firstTime = Math.min(this.#timeTrial(), this.#timeTrial());
    for (let call = 0; call < CALLS; call++) this.#trial(ROUNDS);
  }

  /** Whether the trial has become faster, so that the engine interpreted it first. */
  isTrialCompiled(): boolean {
    return this.#firstTime > FASTER * Math.max(this.#timeTrial(), CLOCK_STEP);
  }

  rehearse({ module, globals, regions }: Translation): void {
    const { exports } = new WebAssembly.Instance(module, importsWith(this.#imports, globals));
    for (const n of regions.keys()) {
      const region = exports[n] as RegionFunction;
      for (let call = 0; call < CALLS; call++) region(HART, TLB, 0n, 1, 0);
    }
  }

  #timeTrial(): number {
    const start = this.#now();
    for (let call = 0; call < TIMED_CALLS; call++) this.#trial(ROUNDS);
    return this.#now() - start;
  }
}

/** Imports that do nothing. Where a function jumps to, its call ends. */
function zeros(): WebAssembly.ModuleImports {
  const all = Object.entries(IMPORTS).map(([name, { results }]) => {
    const zero = results[0] === I64 ? 0n : 0;
    return [name, () => zero];
  });
  return { ...Object.fromEntries(all), [DISPATCH]: () => LEFT };
}

/** Its operations take time only where they are interpreted. */
function trialModule(): WebAssembly.Module {
  const code = new Code(TRIAL_SIGNATURE.parameters.length);
  const again = code.loop();
  for (let n = 0; n < OPERATIONS; n++) {
    code.i32(n);
    code.op(wasm.drop);
  }
  code.get(0);
  code.i32(1);
  code.op(wasm.i32Sub);
  code.tee(0);
  code.brIf(again);
  code.end();
  code.get(0);
  const writer = new ModuleWriter(TRIAL_SIGNATURE);
  writer.add(code.finish());
  return new WebAssembly.Module(writer.finish());
}
