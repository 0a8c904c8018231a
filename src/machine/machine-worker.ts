import {
  M_EXIT_CODE,
  POWER_CALL,
  POWER_FAIL,
  POWER_OFF,
  POWER_REBOOT,
  SERVER_FOLDERS,
} from '../../emulator-wasm/layout.ts';
import type { BlockBackend } from '../disk/block-backend.ts';
import {
  type DiskEvents,
  type DiskOptions,
  type OpenStore,
  openDisk,
  type WritableDisk,
} from '../disk/disks.ts';
import { EmulatorDisk } from '../disk/emulator-disk.ts';
import { ImageBackend } from '../disk/image-backend.ts';
import { KeptBackend } from '../disk/kept-backend.ts';
import { LateDisk } from '../disk/late-disk.ts';
import type { NetworkEvents, OpenNetwork } from '../network/network.ts';
import { PLAN } from '../network/plan.ts';
import { chunks } from '../streams/chunks.ts';
import { Agent } from './agent.ts';
import { ENTROPY_SIZE } from './agent-codes.ts';
import type { Resumption } from './agent-requests.ts';
import { bootElf, bootLinux } from './boot.ts';
import { BootWatch } from './boot-watch.ts';
import { GuestTime, monotonicNow, watchTimeOfDay } from './clock.ts';
import { deferred } from './deferred.ts';
import { DeviceBus } from './device-bus.ts';
import type { ConsoleDevice } from './devices/console/device.ts';
import { Devices } from './devices/index.ts';
import { GuestMemory } from './devices/virtio/guest-memory.ts';
import { MachineError, packError } from './errors.ts';
import { instructionsRetired, wakeTranslator } from './hart-words.ts';
import { Harts } from './harts.ts';
import { ImageCode } from './image-code.ts';
import { OutputRing } from './output-ring.ts';
import { type GuestDisks, OwnerChannel } from './owner-channel.ts';
import type { ElfGuest, ExitReason, LinuxGuest, MachineStart } from './protocol.ts';
import { restoreBlocks, saveBlocks } from './saved-blocks.ts';
import type { MachineState, Plain } from './state.ts';
import { feedUart } from './uart-input.ts';

/** How long devices may take to finish the guest's requests in a suspension, in ms. */
const SETTLE_PATIENCE = 10_000;
const NANOSECONDS_PER_MS = 1_000_000n;

/** How long the rest of the written data may take to become durable, in ms. */
const CLOSE_PATIENCE = 10_000;

const EXIT_REASONS: Record<number, ExitReason> = {
  [POWER_OFF]: 'poweroff',
  [POWER_REBOOT]: 'reboot',
  [POWER_FAIL]: 'fail',
  [POWER_CALL]: 'call',
};

/** What devices need of browser or Node. */
export interface Resources {
  readonly openStore: OpenStore;
  /** Missing where machines have no network. */
  readonly openNetwork?: OpenNetwork;
}

/** The machine without its harts: devices, the agent's host side, start and end of the machine. */
export function runMachine(start: MachineStart, resources: Resources): void {
  new MachineWorker(start, resources);
}

class MachineWorker {
  readonly #start: MachineStart;
  readonly #owner: OwnerChannel;
  readonly #bus: DeviceBus;
  readonly #boot: BootWatch;
  readonly #devices: Devices;
  readonly #harts: Harts;
  readonly #time: GuestTime;
  readonly #ramFilled = deferred<void>();
  readonly #disks: Disks;
  readonly #code: ImageCode | undefined;
  readonly #stopWatchingTime: () => void;
  #agent: Agent | undefined;

  constructor(start: MachineStart, resources: Resources) {
    const { memory, port, guest, plan, deterministic, served } = start;
    this.#start = start;
    this.#owner = new OwnerChannel(port, new OutputRing(start.output));
    this.#boot = new BootWatch(memory, () => this.#reportBoot());
    this.#time = new GuestTime(memory, start.epoch, start.latestTime);
    // Reproducible runs have a time of their own.
    this.#stopWatchingTime = deterministic
      ? () => {}
      : watchTimeOfDay(() => this.#agent?.setTime(resumption(this.#time.now())));
    this.#harts = new Harts(memory, start.harts, {
      doorbell: (server) => {
        if (server === SERVER_FOLDERS) this.#devices.find('fs')?.ring();
        else this.#bus.poll();
      },
      hot: () => this.#owner.post({ type: 'hot' }),
      trace: (text) => void this.#owner.trace(text),
      traced: () => this.#owner.trace(''),
      halted: (power) => void this.#shutDown(power),
    });
    const problem = (text: string | undefined) => this.#owner.post({ type: 'disk-problem', problem: text });
    this.#code = start.code && new ImageCode(memory, start.code, () => this.#wakeTranslator());
    this.#disks = new Disks(resources.openStore, { failed: fail, problem }, this.#code);
    const devices = this.#makeDevices(resources);
    this.#devices = devices;
    this.#bus = new DeviceBus(memory, devices, {
      onPoll: () => void this.#owner.drain(),
      served: deterministic ? served : undefined,
    });
    const [console, vsock] = [devices.find('console'), devices.find('vsock')];
    const agent = vsock && new Agent(vsock, this.#owner.mux, this.#owner.agentEvents);
    this.#agent = agent;
    const card = start.devices.find(({ kind }) => kind === 'net');
    // A foreign relay says by DHCP how the guest is reached.
    if (card?.kind === 'net' && card.network.relay?.kind !== 'foreign') agent?.setNetwork(PLAN);
    this.#owner.serve(
      { agent, console, disks: this.#disks },
      {
        connectFolders: (folders) => devices.find('fs')?.move(folders),
        share: (folder, readOnly) => devices.find('fs')?.share(folder, readOnly),
        ramFilled: () => this.#ramFilled.resolve(),
        suspend: () => void this.#suspend(),
        proceed: () => this.#proceed(),
        disconnect: () => {
          devices.find('net')?.disconnect();
          this.#owner.post({ type: 'disconnected' });
        },
        addCode: (file) => this.#code?.addShipped(file),
        saveCode: () => void this.#saveCode(),
      },
    );
    if (console) void feedConsole(console, this.#owner.input);
    else void feedUart(memory, plan.harts, this.#owner.input);
    void (guest.kind === 'suspended' ? this.#resume(guest.state) : this.#bootGuest(guest));
  }

  /** Starts the translator, or has it read stored code. */
  #wakeTranslator(): void {
    wakeTranslator(new Int32Array(this.#start.memory.buffer));
    this.#owner.post({ type: 'hot' });
  }

  async #saveCode(): Promise<void> {
    await this.#code?.save();
    this.#owner.post({ type: 'code-saved' });
  }

  get #networkEvents(): NetworkEvents {
    return {
      status: (status) => this.#owner.post({ type: 'network', status }),
      configure: (lease) => this.#agent?.setNetwork(lease),
    };
  }

  #makeDevices({ openNetwork }: Resources): Devices {
    return new Devices(this.#start.devices, {
      memory: new GuestMemory(this.#start.memory.buffer as unknown as SharedArrayBuffer),
      onConsole: (bytes) => {
        this.#boot.see(bytes);
        return this.#owner.print(bytes);
      },
      openDisk: (disk) => this.#disks.make(disk),
      openNetwork: openNetwork && ((options, card) => openNetwork(options, card, this.#networkEvents)),
    });
  }

  async #bootGuest(guest: LinuxGuest | ElfGuest): Promise<void> {
    const isLinux = guest.kind === 'linux';
    await this.#harts.prepare(
      isLinux ? bootLinux(this.#start, guest, this.#devices.slots) : bootElf(this.#start, guest),
    );
    this.#run();
    if (isLinux && !this.#start.trace) this.#boot.start(() => this.#owner.draining);
  }

  /** Goes on where another machine was suspended. */
  async #resume(state: MachineState): Promise<void> {
    const { memory, plan } = this.#start;
    this.#devices.requireKinds(state.devices);
    restoreBlocks(memory, plan, this.#devices.slots.length, state);
    await this.#harts.prepare({ type: 'resume' });
    // The devices open their disks while RAM is filled, which they do not touch before `proceed`.
    await Promise.all([this.#devices.resume(state.devices), this.#ramFilled.promise]);
    this.#agent?.resume(state.agent, resumption(this.#time.start()));
    this.#run();
    this.#devices.proceed();
    this.#reportBoot();
  }

  #run(): void {
    if ('waitAsync' in Atomics) void this.#bus.watch();
    this.#owner.post({ type: 'started' });
    this.#harts.run();
  }

  /** Brings the machine to a standstill, and tells the owner its state. */
  async #suspend(): Promise<void> {
    const { memory, plan } = this.#start;
    try {
      await this.#agent?.freeze();
      await this.#harts.pause();
    } catch (error) {
      this.#agent?.proceed(resumption(this.#time.now()));
      this.#owner.post({ type: 'suspend-failed', error: packError(error) });
      return;
    }
    this.#time.stop();
    try {
      const devices = await within(SETTLE_PATIENCE, this.#settle(), 'its devices do not come to rest');
      const agent = this.#agent?.state() ?? null;
      const blocks = saveBlocks(memory, plan.harts, this.#devices.slots.length);
      const state = { harts: plan.harts, ramBytes: plan.ramSize, ...blocks, devices, agent };
      this.#owner.post({ type: 'suspended', state });
    } catch (error) {
      this.#proceed();
      this.#owner.post({ type: 'suspend-failed', error: packError(error) });
    }
  }

  async #settle(): Promise<Plain[]> {
    const devices = await this.#devices.suspend();
    await this.#owner.drain();
    return devices;
  }

  #proceed(): void {
    const ticks = this.#time.start();
    this.#agent?.proceed(resumption(ticks));
    this.#harts.proceed();
    this.#devices.proceed();
    this.#owner.post({ type: 'started' });
  }

  #reportBoot(): void {
    const { memory, harts, epoch } = this.#start;
    const instructions = harts.reduce((sum, _, hart) => sum + instructionsRetired(memory, hart), 0);
    const seconds = (monotonicNow() - epoch) / 1000;
    this.#owner.post({ type: 'booted', figures: { instructions, seconds } });
  }

  /** The machine is off: waits for the harts, passes on the rest of the output, and reports the end. */
  async #shutDown(power: number): Promise<void> {
    this.#boot.stop();
    this.#stopWatchingTime();
    await this.#harts.end(power);
    this.#bus.poll();
    await Promise.all([closed(this.#disks.kept?.close()), closed(this.#devices.find('fs')?.close())]);
    await this.#code?.save();
    const reason = EXIT_REASONS[power] ?? 'fail';
    const hasCode = reason === 'fail' || reason === 'call';
    const code = hasCode ? new DataView(this.#start.memory.buffer).getInt32(M_EXIT_CODE, true) : 0;
    this.#owner.end({ reason, code, seconds: this.#harts.seconds });
  }
}

/** Waits until something is closed, but not for ever. What the guest has synced is durable already. */
async function closed(closing: Promise<void> | undefined): Promise<void> {
  const end = closing?.catch(() => {});
  if (end) await Promise.race([end, new Promise((resolve) => setTimeout(resolve, CLOSE_PATIENCE))]);
}

/** The disks of the machine. */
class Disks implements GuestDisks {
  image: ImageBackend | undefined;
  kept: KeptBackend | undefined;
  emulator: EmulatorDisk | undefined;
  #late: LateDisk | undefined;
  readonly #openStore: OpenStore;
  readonly #events: DiskEvents;
  readonly #code: ImageCode | undefined;

  constructor(openStore: OpenStore, events: DiskEvents, code: ImageCode | undefined) {
    this.#openStore = openStore;
    this.#events = events;
    this.#code = code;
  }

  make(disk: DiskOptions): BlockBackend {
    const backend = openDisk(disk, this.#openStore, this.#events);
    if (backend instanceof ImageBackend && disk.kind === 'image') this.#setImage(backend, disk.store);
    if (backend instanceof KeptBackend) this.kept = backend;
    if (backend instanceof EmulatorDisk) this.emulator = backend;
    if (backend instanceof LateDisk) this.#late = backend;
    return backend;
  }

  #setImage(image: ImageBackend, store: string): void {
    const { code } = this.#openStore(store);
    image.onOpen = (layers) => void this.#code?.open(code, layers);
    this.image = image;
  }

  readonly openLate = (disk: WritableDisk): void => {
    if (!this.#late) throw new MachineError('the machine has no disk that is to be chosen');
    this.#late.open(this.make(disk));
  };
}

/** What the guest has to know first when it goes on. @param tick the guest's time now */
function resumption(tick: bigint): Resumption {
  const time = BigInt(Date.now()) * NANOSECONDS_PER_MS;
  return { tick, time, entropy: crypto.getRandomValues(new Uint8Array(ENTROPY_SIZE)) };
}

/** @throws MachineError if it takes longer than `ms` */
async function within<T>(ms: number, work: Promise<T>, problem: string): Promise<T> {
  const late = deferred<never>();
  const timer = setTimeout(() => late.reject(new MachineError(problem)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function feedConsole(device: ConsoleDevice, input: ReadableStream<Uint8Array>): Promise<void> {
  for await (const bytes of chunks(input)) await device.write(bytes);
}

/** Ends the machine: an uncaught error of this worker reaches the owner. */
function fail(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
