import { M_EXIT_CODE, POWER_CALL, POWER_FAIL, POWER_OFF, POWER_REBOOT } from '../../emulator-wasm/layout.ts';
import { type OpenStore, openDisk } from '../disk/disks.ts';
import { ImageBackend } from '../disk/image-backend.ts';
import type { NetworkEvents, OpenNetwork } from '../network/network.ts';
import { PLAN } from '../network/plan.ts';
import { chunks } from '../streams/chunks.ts';
import { Agent } from './agent.ts';
import { bootElf, bootLinux } from './boot.ts';
import { BootWatch } from './boot-watch.ts';
import { monotonicNow } from './clock.ts';
import { DeviceBus } from './device-bus.ts';
import type { ConsoleDevice } from './devices/console/device.ts';
import { Devices } from './devices/index.ts';
import { GuestMemory } from './devices/virtio/guest-memory.ts';
import { instructionsRetired, powerDown } from './hart-words.ts';
import { OutputRing } from './output-ring.ts';
import { OwnerChannel } from './owner-channel.ts';
import type { ExitReason, FromHart, MachineStart, ToHart } from './protocol.ts';
import { feedUart } from './uart-input.ts';

/** How long harts may take to leave `run` once the machine is off, in ms. */
const HALT_PATIENCE = 2000;

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
  #image: ImageBackend | undefined;
  #agent: Agent | undefined;
  #seconds = 0;
  #halted = 0;
  #allHalted = () => {};

  constructor(start: MachineStart, resources: Resources) {
    const { memory, port, guest, plan, deterministic, served } = start;
    this.#start = start;
    this.#owner = new OwnerChannel(port, new OutputRing(start.output));
    this.#boot = new BootWatch(memory, () => this.#reportBoot());
    const devices = this.#makeDevices(resources);
    this.#bus = new DeviceBus(
      memory,
      devices,
      () => void this.#owner.drain(),
      deterministic ? served : undefined,
    );
    const [console, vsock] = [devices.find('console'), devices.find('vsock')];
    const agent = vsock && new Agent(vsock, (usage) => this.#owner.post({ type: 'usage', usage }));
    this.#agent = agent;
    const card = start.devices.find(({ kind }) => kind === 'net');
    // A foreign relay says by DHCP how the guest is reached.
    if (card?.kind === 'net' && card.network.relay?.kind !== 'foreign') agent?.setNetwork(PLAN);
    this.#owner.serve({ agent, console, image: this.#image });
    if (console) void feedConsole(console, this.#owner.input);
    else void feedUart(memory, plan.harts, this.#owner.input);
    this.#startHarts(guest.kind === 'linux' ? bootLinux(start, guest, devices.slots) : bootElf(start, guest));
    if ('waitAsync' in Atomics) void this.#bus.watch();
    if (guest.kind === 'linux' && !start.trace) this.#boot.start(() => this.#owner.draining);
  }

  get #networkEvents(): NetworkEvents {
    return {
      status: (status) => this.#owner.post({ type: 'network', status }),
      configure: (lease) => this.#agent?.setNetwork(lease),
    };
  }

  #makeDevices({ openStore, openNetwork }: Resources): Devices {
    return new Devices(this.#start.devices, {
      memory: new GuestMemory(this.#start.memory.buffer as unknown as SharedArrayBuffer),
      onConsole: (bytes) => {
        this.#boot.see(bytes);
        return this.#owner.print(bytes);
      },
      openDisk: (disk) => {
        const backend = openDisk(disk, openStore, fail);
        if (backend instanceof ImageBackend) this.#image = backend;
        return backend;
      },
      openNetwork: openNetwork && ((options, card) => openNetwork(options, card, this.#networkEvents)),
    });
  }

  /** Resets all harts before one runs, because it may start another. */
  #startHarts(reset: ToHart): void {
    const { harts } = this.#start;
    let ready = 0;
    for (const port of harts) {
      port.onmessage = ({ data }: MessageEvent<FromHart>) => {
        if (data.type === 'ready' && ++ready === harts.length) {
          this.#owner.post({ type: 'started' });
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
        this.#bus.poll();
        break;
      case 'hot':
        this.#owner.post({ type: 'hot' });
        break;
      case 'trace':
        void this.#owner.trace(message.text);
        break;
      case 'paused':
        void this.#owner.trace('').then(() => port.postMessage({ type: 'run' } satisfies ToHart));
        break;
      case 'halted':
        this.#seconds = Math.max(this.#seconds, message.seconds);
        if (++this.#halted === 1) void this.#shutDown(message.power);
        if (this.#halted === this.#start.harts.length) this.#allHalted();
    }
  }

  #reportBoot(): void {
    const { memory, harts, epoch } = this.#start;
    const instructions = harts.reduce((sum, _, hart) => sum + instructionsRetired(memory, hart), 0);
    const seconds = (monotonicNow() - epoch) / 1000;
    this.#owner.post({ type: 'booted', figures: { instructions, seconds } });
  }

  /** The machine is off: waits for the harts, passes on the rest of the output, and reports the end. */
  async #shutDown(power: number): Promise<void> {
    const { harts, memory, plan } = this.#start;
    const words = new Int32Array(memory.buffer);
    this.#boot.stop();
    powerDown(words, plan.harts, power);
    await new Promise<void>((resolve) => {
      this.#allHalted = resolve;
      if (this.#halted === harts.length) resolve();
      setTimeout(resolve, HALT_PATIENCE);
    });
    this.#bus.poll();
    const reason = EXIT_REASONS[power] ?? 'fail';
    const hasCode = reason === 'fail' || reason === 'call';
    const code = hasCode ? Atomics.load(words, M_EXIT_CODE >>> 2) : 0;
    this.#owner.end({ reason, code, seconds: this.#seconds });
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
