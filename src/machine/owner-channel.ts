import type { WritableDisk } from '../disk/disks.ts';
import type { EmulatorDisk } from '../disk/emulator-disk.ts';
import type { ImageBackend } from '../disk/image-backend.ts';
import type { KeptBackend } from '../disk/kept-backend.ts';
import type { FolderOptions } from '../folders/folder-options.ts';
import type { Agent, AgentEvents } from './agent.ts';
import { type Deferred, deferred } from './deferred.ts';
import type { ConsoleDevice } from './devices/console/device.ts';
import { MachineError, packError } from './errors.ts';
import { connect } from './guest-streams.ts';
import type { OutputRing } from './output-ring.ts';
import {
  CONSOLE_INPUT,
  CONSOLE_OUTPUT,
  connectionStream,
  type DiskRequest,
  type FromMachine,
  type MachineExit,
  type ToMachine,
  TRACE_OUTPUT,
} from './protocol.ts';
import { type Sender, StreamMux } from './stream-mux.ts';

/** The parts of the machine that the owner's commands concern; a bare-metal machine has none of them. */
export interface Guest {
  readonly agent?: Agent | undefined;
  readonly console?: ConsoleDevice | undefined;
  readonly disks: GuestDisks;
}

/** The disks that the owner's commands concern. */
export interface GuestDisks {
  readonly image: ImageBackend | undefined;
  readonly kept: KeptBackend | undefined;
  readonly emulator: EmulatorDisk | undefined;
  /** Chooses the disk of kind `late`. @throws MachineError if there is none */
  readonly openLate: (disk: WritableDisk) => void;
}

/** What the owner's commands do to the machine as a whole. */
export interface MachineControl {
  connectFolders(port: MessagePort): void;
  share(folder: FolderOptions, readOnly: boolean): void;
  ramFilled(): void;
  suspend(): void;
  proceed(): void;
  disconnect(): void;
  addCode(file: Uint8Array): void;
  saveCode(): void;
}

/** The machine worker's end of the channel to the machine's owner: commands, reports and byte streams. */
export class OwnerChannel {
  readonly #port: MessagePort;
  readonly mux: StreamMux;
  readonly #ring: OutputRing;
  readonly #output: Sender;
  readonly #trace: Sender;
  /** While output of UART or debug console waits for the owner: resolves when it has taken all. */
  #drained: Deferred<void> | undefined;
  #disk: Promise<void> = Promise.resolve();

  constructor(port: MessagePort, ring: OutputRing) {
    this.#port = port;
    this.#ring = ring;
    this.mux = new StreamMux((message, transfer) => port.postMessage(message, transfer));
    this.#output = this.mux.sender(CONSOLE_OUTPUT);
    this.#trace = this.mux.sender(TRACE_OUTPUT);
  }

  /** Reports to the owner. */
  readonly agentEvents: AgentEvents = {
    started: (process) => this.post({ type: 'process-started', process }),
    exited: (process, status) => this.post({ type: 'process-exit', process, status }),
    lost: (process, reason) => this.post({ type: 'process-failed', process, reason }),
    usage: (usage) => this.post({ type: 'usage', usage }),
  };

  /** Carries out the owner's commands from now on. */
  serve(guest: Guest, machine: MachineControl): void {
    this.#port.onmessage = ({ data }: MessageEvent<ToMachine>) => this.#receive(data, guest, machine);
  }

  post(message: FromMachine): void {
    this.#port.postMessage(message);
  }

  /** The owner's input to the console. */
  get input(): ReadableStream<Uint8Array> {
    return this.mux.readable(CONSOLE_INPUT);
  }

  /** Resolves when the owner is ready for more of the console's output. */
  print(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#output.send(bytes);
  }

  /** Resolves when the owner is ready for more of the trace. */
  trace(text: string): Promise<void> {
    return this.#trace.send(new TextEncoder().encode(text));
  }

  /** Whether output of UART or debug console waits for the owner. */
  get draining(): boolean {
    return this.#drained !== undefined;
  }

  /** Passes on what the harts wrote to UART and debug console, as fast as the owner takes it. */
  async drain(): Promise<void> {
    if (this.#drained) return this.#drained.promise;
    const drained = deferred<void>();
    this.#drained = drained;
    for (let bytes = this.#ring.read(); bytes.length > 0; bytes = this.#ring.read()) await this.print(bytes);
    this.#drained = undefined;
    drained.resolve();
  }

  /** Reports the end of the machine, after everything that is left of its output. */
  end(exit: MachineExit): void {
    for (let bytes = this.#ring.read(); bytes.length > 0; bytes = this.#ring.read()) void this.print(bytes);
    this.#output.end();
    this.#trace.end();
    this.post({ type: 'exit', exit });
  }

  #receive(message: ToMachine, { agent, console, disks }: Guest, machine: MachineControl): void {
    switch (message.type) {
      case 'run':
        this.#run(message, agent);
        break;
      case 'signal':
        agent?.signal(message.process, message.signal);
        break;
      case 'stop-process':
        agent?.stop(message.process, message.signal);
        break;
      case 'kill-all':
        agent?.killAll(message.process, message.container);
        break;
      case 'resize-process':
        agent?.resize(message.process, message.size);
        break;
      case 'measure':
        agent?.measure(message.container);
        break;
      case 'expect-connection':
        this.#expect(message.connection, message.token, agent);
        break;
      case 'forget-connection':
        agent?.forget(message.token);
        break;
      case 'folders':
        machine.connectFolders(message.port);
        break;
      case 'share':
        machine.share(message.folder, message.readOnly);
        break;
      case 'disk':
        this.#disk = this.#disk.then(() => this.#serveDisk(message.request, disks));
        break;
      case 'resize':
        console?.resize(message.size);
        break;
      case 'power-off':
        agent?.powerOff();
        break;
      case 'ram-filled':
        machine.ramFilled();
        break;
      case 'suspend':
        machine.suspend();
        break;
      case 'proceed':
        machine.proceed();
        break;
      case 'disconnect':
        machine.disconnect();
        break;
      case 'code':
        machine.addCode(message.file);
        break;
      case 'save-code':
        machine.saveCode();
        break;
      default:
        this.mux.receive(message);
    }
  }

  #run({ process, tokens, outputs, message }: Extract<ToMachine, { type: 'run' }>, agent?: Agent): void {
    if (agent) agent.run(process, message, outputs && { tokens, outputs });
    else this.agentEvents.lost(process, 'a bare-metal machine has no agent to run processes');
  }

  #expect(connection: number, token: Uint8Array, agent?: Agent): void {
    const name = connectionStream(connection);
    agent?.expect(token, (opened) => {
      this.post({ type: 'connected', connection });
      connect(opened, this.mux.readable(name), this.mux.sender(name));
    });
  }

  async #serveDisk(request: DiskRequest, disks: GuestDisks): Promise<void> {
    try {
      await serve(request, disks);
      this.post({ type: 'disk-done' });
    } catch (error) {
      this.post({ type: 'disk-failed', error: packError(error) });
    }
  }
}

/** @throws MachineError, StorageError, ImageError */
async function serve(request: DiskRequest, { image, kept, emulator, openLate }: GuestDisks): Promise<void> {
  switch (request.kind) {
    case 'open-image':
      if (!image) throw new MachineError('the machine has no disk for an image');
      return image.open(request.layers);
    case 'open-emulator':
      if (!emulator) throw new MachineError('the machine has no disk for an emulator');
      return emulator.open(request.content);
    case 'open-late':
      return openLate(request.disk);
  }
  if (!kept) throw new MachineError('the machine has no kept disk');
  if (request.kind === 'keep') await kept.keep();
  else await kept.dropCheckpoints(request.before);
}
