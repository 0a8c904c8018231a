import type { WorkerStart } from '../protocol.ts';

export type Role = WorkerStart['role'];

/** Workers of a machine that start while its files are still being loaded: a worker takes 30 ms to start. */
export class SpareWorkers<Worker> {
  readonly #create: (role: Role) => Worker;
  readonly #spare: { readonly role: Role; readonly worker: Worker }[];

  /** @param harts the CPUs of the machine; 0 starts no workers in advance */
  constructor(harts: number, create: (role: Role) => Worker) {
    this.#create = create;
    const roles: Role[] = harts === 0 ? [] : ['machine', ...Array<Role>(harts).fill('hart')];
    this.#spare = roles.map((role) => ({ role, worker: create(role) }));
  }

  *[Symbol.iterator](): Iterator<Worker> {
    for (const { worker } of this.#spare) yield worker;
  }

  /** Returns a worker of this role. */
  take(role: Role): Worker {
    const ready = this.#spare.findIndex((spare) => spare.role === role);
    return this.#spare.splice(ready, ready < 0 ? 0 : 1)[0]?.worker ?? this.#create(role);
  }

  /** Forgets a worker that has failed. The next one of its role is new. */
  drop(failed: Worker): void {
    const index = this.#spare.findIndex(({ worker }) => worker === failed);
    if (index >= 0) this.#spare.splice(index, 1);
  }

  /** Returns all workers that are left, which no machine needs. */
  clear(): Worker[] {
    return this.#spare.splice(0).map(({ worker }) => worker);
  }
}
