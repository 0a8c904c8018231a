import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { H_WAKE } from '../../emulator-wasm/layout.ts';
import { MachineError } from './errors.ts';
import { hartWord } from './hart-words.ts';
import { type BareMetalOptions, Machine } from './machine.ts';
import { nodePlatform } from './platform/node.ts';
import type { Platform } from './platform/platform.ts';
import * as programs from './testing/programs.ts';

const MIB = 2 ** 20;
const platform = nodePlatform(join(import.meta.dirname, '../../public'));
let emulator: WebAssembly.Module;
const machines: Machine[] = [];

beforeAll(async () => {
  emulator = await platform.loadEmulator();
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.stop();
});

async function start(
  elf: Uint8Array,
  options: Partial<BareMetalOptions> = {},
  on: Platform = platform,
): Promise<Machine> {
  const machine = await Machine.start(on, {
    emulator,
    cpus: 1,
    memoryBytes: 64 * MIB,
    elf,
    ...options,
  });
  machines.push(machine);
  return machine;
}

/** Collects written bytes, and waits for a text in them. */
function transcript() {
  let text = '';
  return {
    take: (bytes: Uint8Array) => {
      text += Buffer.from(bytes).toString();
    },
    get text() {
      return text;
    },
    async find(wanted: string): Promise<void> {
      while (!text.includes(wanted)) await delay(10);
    },
  };
}

/** An emulator whose `run` traps at once. */
const TRAPPING_EMULATOR = Buffer.from(
  '0061736d01000000' + // magic, version
    '010e0260047f7e7f7e0060027f7e017f' + // types: (i32 i64 i32 i64), (i32 i64) -> i32
    '02120103656e76066d656d6f7279020301808004' + // import env.memory, shared
    '0303020001' + // functions
    '070f0205726573657400000372756e0001' + // exports reset, run
    '0a08020200' +
    '0b0300000b', // bodies: nothing, unreachable
  'hex',
);

describe('a bare-metal program', () => {
  test.each([
    ['HTIF pass', programs.htif(1), { reason: 'poweroff', code: 0 }],
    ['HTIF failure', programs.htif(2 * 21 + 1), { reason: 'fail', code: 21 }],
    ['HTIF system call', programs.htifCall, { reason: 'call', code: 0x04030201 }],
    ['finisher pass', programs.finisher(programs.FINISHER_PASS), { reason: 'poweroff', code: 0 }],
    ['finisher failure', programs.finisher(programs.FINISHER_FAIL, 300), { reason: 'fail', code: 300 }],
    ['finisher reset', programs.finisher(programs.FINISHER_RESET), { reason: 'reboot', code: 0 }],
  ] as const)('%s ends the machine', async (_, elf, exit) => {
    const machine = await start(elf, { cpus: 2 });
    expect(await machine.exit).toMatchObject(exit);
    expect(machine.stats().instructions.some((count) => count > 0)).toBe(true);
  });

  test('all output arrives before the end', async () => {
    const console = transcript();
    const machine = await start(programs.hello, { onConsole: console.take });
    await machine.exit;
    expect(console.text).toBe('Hi\n');
  });

  test('leaves the end of its log in the error about its end', async () => {
    const console = transcript();
    const machine = await start(programs.echo, { onConsole: console.take });
    await machine.write(Buffer.from(`${'x'.repeat(5000)} its last words\n`));
    await console.find('words\n');
    await machine.stop();
    const error = await machine.failure().catch((error: MachineError) => error);
    expect(error.log).toHaveLength(4096);
    expect(error.log).toMatch(/^x+ its last words\n$/);
  });

  test('receives console input through its UART', async () => {
    const console = transcript();
    const machine = await start(programs.echo, { onConsole: console.take });
    const text = 'ring around '.repeat(100);
    await machine.write(Buffer.from(`${text}\n`));
    await console.find(`${text}\n`);
  });

  test('has readable memory after its end, until the machine is stopped', async () => {
    const machine = await start(programs.signed);
    await machine.exit;
    expect([...machine.ram.subarray(0x1000, 0x1009)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 0]);
    await machine.stop();
    expect(() => machine.ram).toThrow(/stopped/);
  });

  test('has no agent', async () => {
    const machine = await start(programs.endless);
    await expect(machine.run({ args: ['true'] }).exit).rejects.toThrow(/bare-metal/);
  });

  test('is traced instruction by instruction', async () => {
    const trace = transcript();
    const machine = await start(programs.htif(1), { onTrace: trace.take });
    await machine.exit;
    expect(trace.text.split('\n')).toEqual([
      '0 M 0000000080000000 00001317 t1=80001000',
      '0 M 0000000080000004 00100393 t2=1',
      '0 M 0000000080000008 00732823',
      '',
    ]);
  });
});

describe('a machine ends', () => {
  test('when it is stopped, once', async () => {
    const machine = await start(programs.endless, { cpus: 4 });
    const process = machine.run({ args: ['true'] });
    await Promise.all([machine.stop(), machine.stop()]);
    expect(await machine.exit).toMatchObject({ reason: 'stop' });
    await expect(process.exit).rejects.toThrow();
    await expect(process.stdout.getReader().read()).rejects.toThrow(/stopped/);
    await expect(machine.booted).rejects.toThrow(/stopped/);
    await expect(machine.run({ args: ['true'] }).exit).rejects.toThrow(/stopped/);
  });

  test('when the emulator crashes, with the cause', async () => {
    const machine = await start(programs.endless, { emulator: await WebAssembly.compile(TRAPPING_EMULATOR) });
    await expect(machine.exit).rejects.toThrow(/RuntimeError: unreachable/);
    await machine.stop();
  });

  test('when the emulator is invalid', async () => {
    const empty = await WebAssembly.compile(Buffer.from('0061736d01000000', 'hex'));
    await expect(start(programs.endless, { emulator: empty })).rejects.toThrow(/reset is not a function/);
  });

  test('when its owner fails to accept its output', async () => {
    const machine = await start(programs.hello, {
      onConsole: () => Promise.reject(new Error('no paper')),
    });
    await expect(machine.exit).rejects.toThrow('no paper');
  });

  test.each([
    ['no ELF', { elf: new Uint8Array(100) }, /not an ELF/],
    ['too little memory', { memoryBytes: MIB }, /too little/],
    ['too many CPUs', { cpus: 1000 }, /number of CPUs/],
  ])('before it starts: %s', async (_, options, message) => {
    await expect(start(programs.endless, options)).rejects.toThrow(message);
  });
});

test('a guest that floods its console waits for the reader', async () => {
  let read = () => {};
  let received = 0;
  const machine = await start(programs.flood, {
    onConsole: (bytes) => {
      received += bytes.length;
      return new Promise((resolve) => {
        read = resolve;
      });
    },
  });
  const progress = async () => {
    const before = machine.stats().instructions[0] ?? 0;
    await delay(300);
    return (machine.stats().instructions[0] ?? 0) - before;
  };
  await expect.poll(progress).toBe(0);
  const stuck = received;
  while (received < 2 ** 20) {
    read();
    await delay(1);
  }
  expect(stuck).toBeLessThan(2 ** 19);
});

test('a machine whose translator cannot be loaded goes on', async () => {
  let starts = 0;
  const cut: Platform = {
    ...platform,
    startWorker(start, transfer, onFailure) {
      if (start.role !== 'translator') return platform.startWorker(start, transfer, onFailure);
      starts++;
      queueMicrotask(() => onFailure(new MachineError('cannot load the code of the translator worker')));
      return { setReferenced() {}, terminate: async () => {} };
    },
  };
  const machine = await start(programs.endless, { jit: 'hot' }, cut);
  machine.startTranslator();
  await delay(10);
  expect(starts).toBe(1);
  const progress = () => machine.stats().instructions[0] ?? 0;
  const before = progress();
  await expect.poll(progress).toBeGreaterThan(before);
  await machine.stop();
});

test('no hart waits for a change of shared memory when its worker is terminated', async () => {
  const waiting: number[] = [];
  const watched: Platform = {
    ...platform,
    startWorker(start, transfer, onFailure) {
      const worker = platform.startWorker(start, transfer, onFailure);
      const terminate = async () => {
        if (start.role === 'hart') {
          await delay(100);
          const wake = hartWord(start.hart, H_WAKE) >>> 2;
          waiting.push(Atomics.notify(new Int32Array(start.memory.buffer), wake));
        }
        await worker.terminate();
      };
      return { ...worker, terminate };
    },
  };
  const machine = await start(programs.asleep, { cpus: 2 }, watched);
  await delay(100);
  await machine.stop();
  expect(waiting).toEqual([0, 0]);
});

test('nothing remains of stopped machines', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const handles = () =>
    process.getActiveResourcesInfo().filter((name) => /Worker|MessagePort/.test(name)).length;
  const before = handles();
  const memories: WeakRef<ArrayBufferLike>[] = [];
  const use = async (elf: Uint8Array) => {
    const machine = await start(elf, { memoryBytes: 512 * MIB });
    memories.push(new WeakRef(machine.ram.buffer));
    await machine.stop();
    machines.length = 0;
  };
  for (const elf of [programs.endless, programs.hello, programs.echo]) await use(elf);
  await expect.poll(handles).toBeLessThanOrEqual(before);
  await expect
    .poll(async () => {
      await delay(10);
      gc();
      return memories.filter((memory) => memory.deref() !== undefined).length;
    })
    .toBe(0);
});
