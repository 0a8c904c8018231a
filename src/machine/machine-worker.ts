import {
  H_MIE,
  H_RUN,
  M_DOORBELL,
  M_EXIT_CODE,
  M_TOHOST,
  POWER_FAIL,
  POWER_OFF,
  POWER_REBOOT,
  RAM_START,
  RUN_SLEEPING,
} from '../../emulator-wasm/layout.ts';
import { formatExt4 } from '../disk/ext4.ts';
import type { LayerStore } from '../storage/layer-store.ts';
import { Agent } from './agent.ts';
import { monotonicNow } from './clock.ts';
import { machineDeviceTree } from './device-tree.ts';
import { BlockDevice } from './devices/block.ts';
import { type BlockBackend, MemoryBlockBackend } from './devices/block-backend.ts';
import { ConsoleDevice } from './devices/console.ts';
import { GuestMemory } from './devices/guest-memory.ts';
import { RngDevice } from './devices/rng.ts';
import type { VirtioDevice } from './devices/virtio-device.ts';
import { VsockDevice } from './devices/vsock.ts';
import { loadElf, parseElf } from './elf.ts';
import { MachineError, packError } from './errors.ts';
import { hartWord, instructionsRetired, powerDown } from './hart-words.ts';
import { ImageBackend } from './image-backend.ts';
import { loadLinux } from './kernel-image.ts';
import { guestRam } from './memory.ts';
import { OutputRing } from './output-ring.ts';
import {
  CONSOLE_INPUT,
  CONSOLE_OUTPUT,
  type DiskOptions,
  type ElfGuest,
  type ExitReason,
  type FromHart,
  type FromMachine,
  INIT_STARTED,
  type LinuxGuest,
  type MachineStart,
  type MemoryDisk,
  processStream,
  type ToHart,
  type ToMachine,
  TRACE_OUTPUT,
} from './protocol.ts';
import { type Sender, StreamMux } from './stream-mux.ts';
import { chunks } from './streams.ts';
import { feedUart } from './uart-input.ts';

const SUPERVISOR = 1;
const MACHINE = 3;
const GUEST_CID = 3;
const SEED_SIZE = 64;
/** How long harts may take to leave `run` once the machine is off, in ms. */
const HALT_PATIENCE = 2000;
const BOOT_HART = 0;
/** Intervals, in ms, in which the boot hart does nothing until it counts as hung. */
const STALL_INTERVAL = 1000;
const MAX_STALLS = 3;
const STALLED = 'the kernel hangs before it starts PID 1: it may be damaged';

const EXIT_REASONS: Record<number, ExitReason> = {
  [POWER_OFF]: 'poweroff',
  [POWER_REBOOT]: 'reboot',
  [POWER_FAIL]: 'fail',
};

/** Finds the store of layers that an `ImageDisk` names. */
export type OpenStore = (store: string) => LayerStore;

/** The machine apart from its harts: devices, the agent's host side, the machine's beginning and end. */
export function runMachine(start: MachineStart, openStore: OpenStore): void {
  new MachineWorker(start, openStore);
}

class MachineWorker {
  readonly #start: MachineStart;
  readonly #words: Int32Array;
  readonly #mux: StreamMux;
  readonly #ring: OutputRing;
  readonly #output: Sender;
  readonly #trace: Sender;
  readonly #devices: VirtioDevice[] = [];
  #console: ConsoleDevice | undefined;
  #agent: Agent | undefined;
  readonly #openStore: OpenStore;
  #image: { backend: ImageBackend; device: BlockDevice } | undefined;
  /** The end of the console's output, as long as `INIT_STARTED` has not been seen. */
  #bootLog: string | undefined = '';
  #draining = false;
  #seconds = 0;
  #halted = 0;
  #allHalted = () => {};

  constructor(start: MachineStart, openStore: OpenStore) {
    this.#start = start;
    this.#openStore = openStore;
    this.#words = new Int32Array(start.memory.buffer);
    this.#ring = new OutputRing(start.output);
    this.#mux = new StreamMux((message, transfer) => start.port.postMessage(message, transfer));
    this.#output = this.#mux.sender(CONSOLE_OUTPUT);
    this.#trace = this.#mux.sender(TRACE_OUTPUT);
    const reset = start.guest.kind === 'linux' ? this.#loadLinux(start.guest) : this.#loadElf(start.guest);
    start.port.onmessage = ({ data }: MessageEvent<ToMachine>) => this.#receive(data);
    this.#startHarts(reset);
    if ('waitAsync' in Atomics) void this.#watchDoorbell();
    if (start.guest.kind === 'linux' && !start.trace) this.#watchProgress();
  }

  #post(message: FromMachine): void {
    this.#start.port.postMessage(message);
  }

  #loadLinux({ kernel, initrd, commandLine }: LinuxGuest): ToHart {
    const { memory, plan, disks, deterministic } = this.#start;
    const guestMemory = new GuestMemory(memory.buffer as unknown as SharedArrayBuffer);
    const add = <T extends VirtioDevice>(make: (slot: number) => T): T => {
      const device = make(this.#devices.length);
      this.#devices.push(device);
      return device;
    };
    const onOutput = (bytes: Uint8Array) => this.#takeOutput(bytes);
    this.#console = add((slot) => new ConsoleDevice(guestMemory, slot, { onOutput, columns: 80, rows: 24 }));
    const vsock = add((slot) => new VsockDevice(guestMemory, slot, GUEST_CID));
    this.#agent = new Agent(vsock, (usage) => this.#post({ type: 'usage', usage }));
    if (!deterministic) add((slot) => new RngDevice(guestMemory, slot));
    disks.forEach((disk, index) => {
      const backend = this.#backend(disk);
      const device = add((slot) => new BlockDevice(guestMemory, slot, backend, `disk${index}`));
      if (backend instanceof ImageBackend) this.#image = { backend, device };
    });
    void this.#feedConsole(this.#console);

    const rngSeed = new Uint8Array(SEED_SIZE);
    if (!deterministic) crypto.getRandomValues(rngSeed);
    const virtioSlots = this.#devices.map(({ slot }) => slot);
    const boot = loadLinux(guestRam(memory, plan), kernel, initrd, (range) =>
      machineDeviceTree({ ...plan, commandLine, initrd: range, rngSeed, virtioSlots }),
    );
    return {
      type: 'reset',
      pc: BigInt(boot.entry),
      privilege: SUPERVISOR,
      argument: BigInt(boot.deviceTree),
    };
  }

  #backend(disk: DiskOptions): BlockBackend {
    switch (disk.kind) {
      case 'image':
        return new ImageBackend(this.#openStore(disk.store), fail);
      case 'scratch':
        return scratchDisk(disk.sizeBytes);
      default:
        return memoryDisk(disk);
    }
  }

  #loadElf({ file }: ElfGuest): ToHart {
    const { memory, plan } = this.#start;
    const elf = parseElf(file);
    loadElf(elf, guestRam(memory, plan), RAM_START);
    new DataView(memory.buffer).setBigUint64(M_TOHOST, elf.symbol('tohost') ?? 0n, true);
    void feedUart(memory, plan.harts, this.#mux.readable(CONSOLE_INPUT));
    return { type: 'reset', pc: elf.entry, privilege: MACHINE, argument: 0n };
  }

  /** All harts are reset before one runs, since it may start another. */
  #startHarts(reset: ToHart): void {
    const { harts } = this.#start;
    let ready = 0;
    for (const port of harts) {
      port.onmessage = ({ data }: MessageEvent<FromHart>) => {
        if (data.type === 'ready' && ++ready === harts.length) {
          this.#post({ type: 'started' });
          for (const each of harts) each.postMessage({ type: 'run' } satisfies ToHart);
        } else {
          this.#hearHart(port, data);
        }
      };
      port.postMessage(reset);
    }
  }

  #hearHart(port: MessagePort, message: FromHart): void {
    switch (message.type) {
      case 'doorbell':
        this.#poll();
        break;
      case 'hot':
        this.#post({ type: 'hot' });
        break;
      case 'trace':
        void this.#trace.send(new TextEncoder().encode(message.text));
        break;
      case 'paused':
        void this.#trace
          .send(new Uint8Array())
          .then(() => port.postMessage({ type: 'run' } satisfies ToHart));
        break;
      case 'halted':
        this.#seconds = Math.max(this.#seconds, message.seconds);
        if (++this.#halted === 1) void this.#shutDown(message.power);
        if (this.#halted === this.#start.harts.length) this.#allHalted();
    }
  }

  /** Polls the devices whenever a hart has moved the doorbell. */
  async #watchDoorbell(): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.#words, M_DOORBELL >>> 2);
      this.#poll();
      const changed = Atomics.waitAsync(this.#words, M_DOORBELL >>> 2, seen);
      if (changed.async) await changed.value;
    }
  }

  #poll(): void {
    const rung = Atomics.load(this.#words, M_DOORBELL >>> 2);
    for (const device of this.#devices) device.poll();
    if (!this.#draining) void this.#drainRing();
    // Not before devices have done what they put off to microtasks.
    if (this.#start.deterministic) setTimeout(() => this.#release(rung));
  }

  /** Lets the hart go on that waits in lockstep for its doorbell to be answered. */
  #release(rung: number): void {
    const served = new Int32Array(this.#start.served);
    Atomics.store(served, 0, rung);
    Atomics.notify(served, 0);
  }

  /** Passes on what the harts wrote to UART and debug console, as fast as it is taken. */
  async #drainRing(): Promise<void> {
    this.#draining = true;
    for (let bytes = this.#ring.read(); bytes.length > 0; bytes = this.#ring.read()) {
      await this.#output.send(bytes);
    }
    this.#draining = false;
  }

  #takeOutput(bytes: Uint8Array): Promise<void> {
    if (this.#bootLog !== undefined) this.#watchBoot(bytes);
    return this.#output.send(bytes);
  }

  #watchBoot(bytes: Uint8Array): void {
    const log = this.#bootLog + new TextDecoder('latin1').decode(bytes);
    this.#bootLog = log.slice(-INIT_STARTED.length);
    if (!log.includes(INIT_STARTED)) return;
    this.#bootLog = undefined;
    const { memory, harts, epoch } = this.#start;
    const instructions = harts.reduce((sum, _, hart) => sum + instructionsRetired(memory, hart), 0);
    this.#post({ type: 'booted', figures: { instructions, seconds: (monotonicNow() - epoch) / 1000 } });
  }

  /** A damaged kernel may trap in its own trap handler for ever, or wait for no interrupt at all. */
  #watchProgress(): void {
    let last = -1;
    let stalls = 0;
    const timer = setInterval(() => {
      if (this.#bootLog === undefined || this.#halted > 0) return clearInterval(timer);
      const now = instructionsRetired(this.#start.memory, BOOT_HART);
      const asleep = Atomics.load(this.#words, hartWord(BOOT_HART, H_RUN) >>> 2) === RUN_SLEEPING;
      const wakeable = Atomics.load(this.#words, hartWord(BOOT_HART, H_MIE) >>> 2) !== 0;
      const stalled = now === last && !this.#draining && !(asleep && wakeable);
      stalls = stalled ? stalls + 1 : 0;
      last = now;
      if (stalls === MAX_STALLS) throw new MachineError(STALLED);
    }, STALL_INTERVAL);
  }

  async #feedConsole(device: ConsoleDevice): Promise<void> {
    for await (const bytes of chunks(this.#mux.readable(CONSOLE_INPUT))) await device.write(bytes);
  }

  #receive(message: ToMachine): void {
    switch (message.type) {
      case 'run':
        this.#run(message);
        break;
      case 'signal':
        this.#agent?.signal(message.process, message.signal);
        break;
      case 'resize-process':
        this.#agent?.resize(message.process, message.size);
        break;
      case 'measure':
        this.#agent?.measure(message.container);
        break;
      case 'open-image':
        void this.#openImage(message.layers);
        break;
      case 'resize':
        this.#console?.resize(message.columns, message.rows);
        break;
      case 'power-off':
        this.#agent?.powerOff();
        break;
      default:
        this.#mux.receive(message);
    }
  }

  async #openImage(layers: readonly string[]): Promise<void> {
    try {
      if (!this.#image) throw new MachineError('the machine has no disk for an image');
      await this.#image.backend.open(layers);
      this.#image.device.resized();
      this.#post({ type: 'image-open' });
    } catch (error) {
      this.#post({ type: 'image-failed', error: packError(error) });
    }
  }

  #run({ process, outputs, message }: Extract<ToMachine, { type: 'run' }>): void {
    const events = {
      exited: (status: number) => this.#post({ type: 'process-exit', process, status }),
      lost: (reason: string) => this.#post({ type: 'process-failed', process, reason }),
    };
    const streams = outputs && {
      stdin: this.#mux.readable(processStream(process, 0)),
      outputs,
      output: (descriptor: number) => this.#mux.sender(processStream(process, descriptor)),
    };
    if (this.#agent) this.#agent.run(process, message, events, streams);
    else events.lost('a bare-metal machine has no agent to run processes');
  }

  /** The machine is off: collects the harts and what is still to be said, and reports the end. */
  async #shutDown(power: number): Promise<void> {
    const { harts, plan } = this.#start;
    powerDown(this.#words, plan.harts, power);
    await new Promise<void>((resolve) => {
      this.#allHalted = resolve;
      if (this.#halted === harts.length) resolve();
      setTimeout(resolve, HALT_PATIENCE);
    });
    for (const device of this.#devices) device.poll();
    for (let bytes = this.#ring.read(); bytes.length > 0; bytes = this.#ring.read())
      void this.#output.send(bytes);
    this.#output.end();
    this.#trace.end();
    const reason = EXIT_REASONS[power] ?? 'fail';
    const code = reason === 'fail' ? Atomics.load(this.#words, M_EXIT_CODE >>> 2) : 0;
    this.#post({ type: 'exit', exit: { reason, code, seconds: this.#seconds } });
  }
}

/** Ends the machine: this worker's last words reach its owner. */
function fail(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

function scratchDisk(sizeBytes: number): BlockBackend {
  const disk = new MemoryBlockBackend(sizeBytes);
  formatExt4(disk);
  return disk;
}

function memoryDisk({ data, readOnly }: MemoryDisk): BlockBackend {
  const disk = new MemoryBlockBackend(data.length);
  disk.write(0, [data]);
  if (!readOnly) return disk;
  return {
    sizeBytes: disk.sizeBytes,
    readOnly,
    read: (offset, into) => disk.read(offset, into),
    write: () => Promise.reject(new Error('the disk is read-only')),
    flush: () => {},
  };
}
