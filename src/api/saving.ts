/** Saving of containers that run. */
import type { ContainerMachine } from '../container/container.ts';
import type { SuspendedContainer } from '../container/session.ts';
import type { Plain } from '../machine/machine.ts';
import type { Platform } from '../machine/platform/platform.ts';
import { OptionError } from '../options/option-error.mjs';
import type { SnapshotContents } from '../snapshot/file.ts';
import type { SaverPool } from '../snapshot/saver-pool.ts';
import type { SessionStore, StoredSession } from '../snapshot/session-store.ts';
import { RELEASE, versionsOf } from '../snapshot/versions.ts';
import { StorageFullError } from '../storage/errors.ts';
import { START_OWNER } from '../storage/start-store.ts';
import { containerHost } from './host.ts';
import type { Keeping } from './kept.ts';
import { type LaunchOptions, toJson } from './kept-options.ts';
import type { LoadedImage } from './load-image.ts';
import type { SessionOrigin } from './opened-session.ts';
import { openSessions, startSavers } from './sessions.ts';

/** How long a container whose owner leaves stands still: a browser ends the page meanwhile, in ms. */
const LEAVING = 2_000;

/** Returns what belongs to a saved container beside it, such as the contents of its terminals. */
export type Annotate = () => Plain | Promise<Plain>;

interface Subject {
  readonly container: ContainerMachine;
  readonly platform: Platform;
  readonly image: LoadedImage;
  readonly launch: LaunchOptions;
  /** Its record, if it is kept. */
  kept(): Keeping | undefined;
}

/** What saves a container that runs. */
export class Saving {
  /** Whether it has been saved for good, and ends. */
  isSuspended = false;
  annotate: Annotate = () => null;
  readonly #subject: Subject;
  /** The session from which its dirty pages count. */
  #base: StoredSession | undefined;
  #pool: Promise<SaverPool> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param origin from which it has gone on */
  constructor(subject: Subject, origin: SessionOrigin | undefined) {
    this.#subject = subject;
    this.#base = origin?.stored;
    this.#pool = origin && Promise.resolve(origin.savers);
  }

  /** Loads and starts what saves need. */
  prepare(): void {
    this.#pool ??= this.#startPool();
    // A save tells the same error.
    this.#pool.catch(() => {});
  }

  /** Ends what saves need. */
  close(): void {
    void this.#pool?.then(
      (pool) => pool.close(),
      () => {},
    );
    this.#pool = undefined;
  }

  /**
   * Saves it in the store; it goes on.
   * @param isLeaving whether it stands still for a moment more, because its owner is about to be cut off
   * @throws OptionError, MachineError, StorageError
   */
  async save(isLeaving = false): Promise<void> {
    let standing: SuspendedContainer | undefined;
    await this.#inTurn(async () => {
      standing = await this.#store(isLeaving);
      if (!isLeaving) await standing.machine.resume();
    });
    // It may end before.
    if (isLeaving) this.#inTurn(() => this.#resumeLater(standing as SuspendedContainer)).catch(() => {});
  }

  async #resumeLater({ machine }: SuspendedContainer): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, LEAVING));
    await machine.resume();
  }

  /** Saves it in the store, and leaves it suspended. @throws OptionError, MachineError, StorageError */
  suspend(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#store(true);
      this.isSuspended = true;
    });
  }

  /**
   * Suspends it, and returns it as a file in pieces. It goes on after the last piece, or when the reader
   * leaves.
   */
  async *write(): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    const [{ writeSnapshot }, { Lz4 }] = await Promise.all([
      import('../snapshot/file.ts'),
      import('../snapshot/lz4.ts'),
    ]);
    const emulator = await this.#subject.platform.loadEmulator();
    const lz4 = await Lz4.create(emulator);
    const suspended = await this.#subject.container.suspend();
    try {
      const contents = await this.#contents(emulator, suspended, await this.#withDisk(suspended));
      for await (const piece of writeSnapshot(contents, lz4)) yield new Uint8Array(piece);
    } finally {
      if (!this.isSuspended) await suspended.machine.resume();
    }
  }

  /** Saves it as the start of later containers of its image; it goes on. @throws as `save`; ImageError */
  saveStart(): Promise<void> {
    return this.#inTurn(async () => {
      const { container, image, launch } = this.#subject;
      const [{ startKey }, { recordOfImage }, { store }] = await Promise.all([
        import('./starts.ts'),
        import('./kept.ts'),
        containerHost().openKept(),
      ]);
      const { reference, digest, config, layers } = await recordOfImage(store, image);
      const key = await startKey(digest, launch);
      const release = await store.starts.hold(key);
      try {
        const suspended = await container.suspend();
        const stored = await this.#saveWhole(START_OWNER + key, suspended).finally(() =>
          suspended.machine.resume(),
        );
        const now = Date.now();
        const record = { key, reference, digest, config, layers, session: stored.id };
        await store.starts.put({ ...record, options: toJson(launch), created: now, lastUsed: now });
      } finally {
        await release();
      }
      await store.starts.sweep();
    });
  }

  async #saveWhole(owner: string, suspended: SuspendedContainer): Promise<StoredSession> {
    const emulator = await this.#subject.platform.loadEmulator();
    const sessions = await openSessions(emulator);
    const contents = await this.#contents(emulator, suspended, await this.#withDisk(suspended));
    return sessions.save(owner, { ...contents, dirty: suspended.machine.dirtyPages() });
  }

  /**
   * Saves it in the store, and leaves it standing still; after an error it goes on.
   * @param isEnd whether it is expected to end now
   */
  async #store(isEnd: boolean): Promise<SuspendedContainer> {
    const { container, platform } = this.#subject;
    const kept = this.#subject.kept();
    if (!kept) throw new OptionError('only a kept container can be saved in the store: keep it first');
    const emulator = await platform.loadEmulator();
    const sessions = await this.#sessions(emulator);
    const suspended = await container.suspend();
    const { machine, checkpoint, state } = suspended;
    try {
      if (checkpoint === undefined) throw new OptionError('its disk is not stored');
      const saved = await this.#contents(emulator, suspended, state);
      const contents = { ...saved, dirty: machine.dirtyPages() };
      const stored = await this.#makingRoom(() =>
        sessions.save(kept.container.record.id, contents, this.#base),
      );
      const now = Date.now();
      const session = { id: stored.id, checkpoint, saved: now, isEnd };
      await kept.container.update({ session, lastUsed: now });
      machine.markSaved();
      this.#base = stored;
      void this.#clean(sessions, kept.container.record.id, stored, checkpoint);
      return suspended;
    } catch (error) {
      await machine.resume();
      throw error;
    }
  }

  /** Removes what only older sessions need. What is left is removed another time. */
  async #clean(sessions: SessionStore, id: string, stored: StoredSession, checkpoint: number): Promise<void> {
    await sessions.forget(id, stored).catch(() => {});
    if (!this.isSuspended) this.#subject.container.dropCheckpoints(checkpoint);
  }

  /** Removes saved starts if there is no room. */
  async #makingRoom<T>(save: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await save();
      } catch (error) {
        const isFull = error instanceof StorageFullError;
        if (!isFull || !(await (await containerHost().openKept()).store.starts.evict())) throw error;
      }
    }
  }

  async #sessions(emulator: WebAssembly.Module): Promise<SessionStore> {
    this.prepare();
    return openSessions(emulator, await this.#pool);
  }

  async #startPool(): Promise<SaverPool> {
    const emulator = await this.#subject.platform.loadEmulator();
    // When the page is left, its code could not be loaded any more.
    const [savers] = await Promise.all([startSavers(emulator), import('../snapshot/session-store.ts')]);
    return savers;
  }

  async #contents(
    emulator: WebAssembly.Module,
    { machine: { ram } }: SuspendedContainer,
    container: Plain,
  ): Promise<SnapshotContents> {
    const { reference, digest } = this.#subject.image;
    const header = {
      release: RELEASE,
      versions: versionsOf(emulator),
      ramBytes: ram.length,
      created: Date.now(),
      about: { reference, digest, launch: toJson(this.#subject.launch) },
    };
    return { header, state: { container, annotation: await this.annotate() }, ram };
  }

  /** The state with the contents of its disk, if that is in the store. */
  async #withDisk({ state, checkpoint }: SuspendedContainer): Promise<Plain> {
    const kept = this.#subject.kept();
    if (checkpoint === undefined || !kept) return state;
    const [{ readKeptDisk }, { withChunks }, { store }] = await Promise.all([
      import('../disk/kept-disk-file.ts'),
      import('../container/session.ts'),
      containerHost().openKept(),
    ]);
    const disk: [number, Uint8Array][] = [];
    for await (const chunk of readKeptDisk(store.disks, kept.container.record.id, checkpoint))
      disk.push(chunk);
    return withChunks(state, disk);
  }

  /** One thing after the other. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      if (this.isSuspended) throw new OptionError('the container is suspended');
      return action();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
