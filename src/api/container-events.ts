import type { NetworkStatus } from '../machine/machine.ts';
import type { ContainerEvents } from './running-container.ts';

export type Listener<T> = (event: T) => void;

/** The listeners to a container's events. */
export class Events {
  /** The latest state of the network. */
  network: NetworkStatus | undefined;
  readonly #listeners = new Map<keyof ContainerEvents, Set<Listener<never>>>();

  on<Name extends keyof ContainerEvents>(name: Name, listener: Listener<ContainerEvents[Name]>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit<Name extends keyof ContainerEvents>(name: Name, event: ContainerEvents[Name]): void {
    const listeners = this.#listeners.get(name) as Set<Listener<ContainerEvents[Name]>> | undefined;
    for (const listener of listeners ?? []) report(() => listener(event));
  }
}

/** An error of a listener is not the container's. */
function report(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
