/** Between the machine's worker and the device of shared folders, once that lives in a worker of its own. */
import { type FolderOptions, portsOf } from '../../../folders/folder-options.ts';
import { type PackedError, unpackError } from '../../errors.ts';
import type { Plain } from '../../state.ts';

export type Question = 'suspend' | 'close';

export type ToDevice =
  /** Makes the device go on where another one has left it, after `proceed`. */
  | { readonly type: 'take-over'; readonly slot: number; readonly state: Plain }
  | { readonly type: 'share'; readonly folder: FolderOptions; readonly readOnly: boolean }
  | { readonly type: 'doorbell' }
  | { readonly type: 'proceed' }
  | { readonly type: Question; readonly id: number };

/** Answers a question. */
export type FromDevice = { readonly id: number } & (
  | { readonly value: Plain }
  | { readonly error: PackedError }
);

/** The end of the machine's worker. */
export class DeviceChannel {
  readonly #port: MessagePort;
  readonly #pending = new Map<number, (answer: FromDevice) => void>();
  #next = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<FromDevice>) => {
      this.#pending.get(data.id)?.(data);
      this.#pending.delete(data.id);
    };
  }

  post(message: Exclude<ToDevice, { type: 'share' | Question }>): void {
    this.#port.postMessage(message);
  }

  share(folder: FolderOptions, readOnly: boolean): void {
    this.#port.postMessage({ type: 'share', folder, readOnly } satisfies ToDevice, portsOf(folder));
  }

  async ask(type: Question): Promise<Plain> {
    const id = this.#next++;
    const answer = await new Promise<FromDevice>((resolve) => {
      this.#pending.set(id, resolve);
      this.#port.postMessage({ type, id } satisfies ToDevice);
    });
    if ('error' in answer) throw unpackError(answer.error);
    return answer.value;
  }
}
