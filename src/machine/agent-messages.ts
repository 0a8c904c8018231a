/** What the guest's agent and its forwarders tell the host; `docs/agent-protocol.md` defines the fields. */
import { concat } from '../streams/concat.ts';
import {
  EVENT_SIZE,
  EXIT,
  HELLO,
  LENGTH_SIZE,
  MAX_LENGTH,
  MAX_PORT,
  PORT_CLOSED,
  PORT_OPENED,
  REFUSED,
  STARTED,
  SUSPENDED,
  USAGE,
} from './agent-codes.ts';

export type ForwarderEvent =
  /** @param error Linux's number of the error */
  { type: 'refused'; connection: number; error: number } | { type: 'port'; port: number; open: boolean };

/** In bytes and ms. */
export interface Usage {
  /** The machine's memory, without the kernel itself; available is what programs could have of it. */
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  /** The disk that the container writes to. */
  readonly disk: { readonly totalBytes: number; readonly usedBytes: number };
  /** Since the boot. Each CPU is idle for a time of its own, and this is their sum. */
  readonly cpu: { readonly uptime: number; readonly idle: number };
}

export type GuestMessage =
  | { type: 'hello'; version: number }
  /** The program of a container's process runs. */
  | { type: 'started'; process: number }
  | { type: 'usage'; usage: Usage }
  /** The processes of all containers are frozen. */
  | { type: 'suspended' }
  /** The reason is empty unless the process could not say it. */
  | { type: 'exit'; process: number; status: number; reason: string };

/** Cuts a forwarder's bytes into events. Those without a meaning are left out. */
export class ForwarderEventReader {
  #pending = new Uint8Array();

  *push(bytes: Uint8Array): Generator<ForwarderEvent, void> {
    const received = concat([this.#pending, bytes]);
    const view = new DataView(received.buffer);
    const complete = received.length - (received.length % EVENT_SIZE);
    this.#pending = received.slice(complete);
    for (let at = 0; at < complete; at += EVENT_SIZE) {
      const [type, subject] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
      if (type === REFUSED) {
        yield { type: 'refused', connection: subject, error: view.getUint32(at + 8, true) };
      } else if ((type === PORT_OPENED || type === PORT_CLOSED) && subject > 0 && subject <= MAX_PORT) {
        yield { type: 'port', port: subject, open: type === PORT_OPENED };
      }
    }
  }
}

/** Cuts the guest's bytes into messages. */
export class MessageReader {
  #pending: Uint8Array<ArrayBuffer>;

  /** @param pending of another reader, which this one continues */
  constructor(pending: Uint8Array<ArrayBuffer> = new Uint8Array()) {
    this.#pending = pending;
  }

  /** The beginning of a message whose end has not come. */
  get pending(): Uint8Array<ArrayBuffer> {
    return this.#pending;
  }

  /** @throws RangeError when a message is longer or shorter than the protocol allows */
  push(bytes: Uint8Array): GuestMessage[] {
    const received = concat([this.#pending, bytes]);
    const view = new DataView(received.buffer);
    const messages: GuestMessage[] = [];
    let at = 0;
    while (received.length - at >= LENGTH_SIZE) {
      const length = view.getUint32(at, true);
      if (length > MAX_LENGTH || length < 1) throw new RangeError(`a message of ${length} bytes`);
      const end = at + LENGTH_SIZE + length;
      if (end > received.length) break;
      const payload = received.subarray(at + LENGTH_SIZE + 1, end);
      const message = decode(view.getUint8(at + LENGTH_SIZE), payload);
      if (message) messages.push(message);
      at = end;
    }
    this.#pending = received.slice(at);
    return messages;
  }
}

function decode(type: number, payload: Uint8Array): GuestMessage | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  switch (type) {
    case HELLO:
      return { type: 'hello', version: view.getUint32(0, true) };
    case STARTED:
      return { type: 'started', process: view.getUint32(0, true) };
    case EXIT:
      return {
        type: 'exit',
        process: view.getUint32(0, true),
        status: view.getUint32(4, true),
        reason: decodeString(payload.subarray(8)),
      };
    case USAGE:
      return { type: 'usage', usage: decodeUsage(view) };
    case SUSPENDED:
      return { type: 'suspended' };
    default:
      return undefined;
  }
}

/** @throws RangeError when its NUL is missing */
function decodeString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  if (end < 0) throw new RangeError('a string without its end');
  return new TextDecoder().decode(bytes.subarray(0, end));
}

function decodeUsage(view: DataView): Usage {
  const figure = (index: number) => Number(view.getBigUint64(index * 8, true));
  return {
    memory: { totalBytes: figure(0), availableBytes: figure(1) },
    disk: { totalBytes: figure(2), usedBytes: figure(3) },
    cpu: { uptime: figure(4), idle: figure(5) },
  };
}
