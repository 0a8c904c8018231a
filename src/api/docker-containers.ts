/** The containers that `docker` commands of this process have started. */
import { DockerError, type RunWords } from '../docker/docker.ts';
import { chunks } from '../streams/chunks.ts';
import type { RunningContainer } from './container.ts';

/** The output of a detached container that is kept, in bytes. */
const LOG_SIZE = 1 << 20;

export interface DockerContainer {
  readonly id: string;
  readonly name: string;
  readonly created: Date;
  readonly words: RunWords;
  readonly container: RunningContainer;
  /** Of a detached container. */
  readonly log: OutputLog | undefined;
}

/** By name; undefined while one is starting. */
const containers = new Map<string, DockerContainer | undefined>();

export function runningContainers(): DockerContainer[] {
  return [...containers.values()].filter((container) => container !== undefined);
}

/** Takes a name for a container, and gives it an identity. @throws DockerError if the name is taken */
export function takeName(wanted: string | undefined): { readonly id: string; readonly name: string } {
  const id = Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
  const name = wanted ?? `container_${id.slice(0, 12)}`;
  if (containers.has(name))
    throw new DockerError(`the name ${name} is in use: stop that container, or choose another name`);
  containers.set(name, undefined);
  return { id, name };
}

/** The container did not start. */
export function freeName(name: string): void {
  containers.delete(name);
}

/** Makes a container reachable until it ends. */
export function addContainer(container: DockerContainer): void {
  const { name } = container;
  containers.set(name, container);
  // It may have ended already.
  const forget = () => void containers.delete(name);
  container.container.wait().then(forget, forget);
}

/** @param text a name, an ID, or the beginning of one @throws DockerError */
export function findContainer(text: string): DockerContainer {
  const named = containers.get(text);
  if (named) return named;
  const matches = runningContainers().filter(({ id }) => text !== '' && id.startsWith(text));
  const [match] = matches;
  if (match && matches.length === 1) return match;
  const problem = match ? 'Several containers have an ID that begins with' : 'No such container:';
  throw new DockerError(`${problem} ${text}`, 1);
}

interface LogPart {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** The latest output of a container, for any number of readers. */
export class OutputLog {
  readonly #parts: LogPart[] = [];
  #size = 0;
  /** The number of parts that were dropped. */
  #dropped = 0;
  #hasEnded = false;
  readonly #waiting = new Set<() => void>();

  constructor({ stdout, stderr }: RunningContainer) {
    const both = [this.#take('stdout', stdout), this.#take('stderr', stderr)];
    void Promise.allSettled(both).then(() => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  /** What is there, then, if it follows, all that comes until the end. */
  async *read(follow: boolean): AsyncGenerator<LogPart> {
    for (let at = this.#dropped; ; at++) {
      while (follow && at >= this.#dropped + this.#parts.length && !this.#hasEnded)
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      at = Math.max(at, this.#dropped);
      const part = this.#parts[at - this.#dropped];
      if (!part) return;
      yield part;
    }
  }

  async #take(stream: LogPart['stream'], output: ReadableStream<Uint8Array>): Promise<void> {
    for await (const bytes of chunks(output)) {
      this.#parts.push({ stream, bytes });
      this.#size += bytes.length;
      while (this.#size > LOG_SIZE && this.#parts.length > 1) {
        this.#size -= this.#parts.shift()?.bytes.length ?? 0;
        this.#dropped++;
      }
      this.#wake();
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
