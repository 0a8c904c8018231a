import { randomId } from '../docker/names.ts';
import type { BootFigures } from '../machine/machine.ts';
import { normaliseMountPath } from '../options/mount-path.mjs';
import { parsePort } from '../options/published-ports.mjs';
import type { MountedFolder } from './browser-folder.ts';
import { BrowserFolder } from './browser-folder.ts';
import { assignmentsOf, Builder } from './builder.ts';
import { containerHost } from './host.ts';
import type { NewFiles, Source } from './kept.ts';
import type { BrowserFolderMount, FolderMount, LaunchOptions } from './kept-options.ts';
import { type LiveOptions, launch, type OwnFolder } from './launch.ts';
import type { ImageLocation, LoadImageOptions } from './load-image.ts';
import { machineOf } from './machine-settings.ts';
import type { RunningContainer } from './running-container.ts';
import type { StartedContainer } from './started-container.ts';
import type { FoundStart } from './starts.ts';

type InnerOptions = Pick<LiveOptions, 'jit' | 'savesItself'>;

/** A container from an image, in a machine of its own. */
export class Container extends Builder {
  readonly #image: ImageLocation;
  readonly #options: { entrypoint?: string[]; hostname?: string; init?: boolean } = {};
  readonly #devices: string[] = [];
  readonly #tmpfs: string[] = [];
  readonly #mounts: FolderMount[] = [];
  readonly #browserFolders: BrowserFolderMount[] = [];
  readonly #folders: OwnFolder[] = [];
  readonly #ports: string[] = [];
  #files: NewFiles | undefined;
  #name: string | undefined;
  #platform: string | undefined;
  #isKeepable = false;
  #isFresh = false;
  #onBoot: ((figures: BootFigures) => void) | undefined;
  #onLessMemory: ((memoryBytes: number) => void) | undefined;
  #onConsole: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;

  /** @param image a reference, or in a browser an image that its user picked */
  constructor(image: ImageLocation) {
    super();
    this.#image = image;
  }

  /**
   * The platform whose image is run, such as `linux/arm64`. By default it is the first of `linux/riscv64`,
   * `linux/arm64` and `linux/amd64` that the image is published for. Programs of the last two are emulated,
   * which makes them about ten times slower.
   */
  platform(platform: string): this {
    this.#platform = platform;
    return this;
  }

  /** Replaces the entrypoint of the image, and drops its command. */
  entrypoint(program: string | readonly string[]): this {
    this.#options.entrypoint = typeof program === 'string' ? [program] : [...program];
    return this;
  }

  /** Its host name; by default one that is made up. */
  hostname(name: string): this {
    this.#options.hostname = name;
    return this;
  }

  /** Runs the program below a small init, which reaps orphans. */
  init(on = true): this {
    this.#options.init = on;
    return this;
  }

  /** Gives it `/dev/fuse` or `/dev/net/tun`. */
  device(path: string): this {
    this.#devices.push(path);
    return this;
  }

  /** Puts an empty folder in memory at the path. */
  tmpfs(path: string): this {
    this.#tmpfs.push(path);
    return this;
  }

  /**
   * Shares a folder with it.
   * @param path where the container sees it; absolute
   * @param folder in Node the path of a folder of this computer; in a browser a `FileSystemDirectoryHandle`,
   *   or a folder that the browser keeps; or an object that has the files
   */
  mount(path: string, folder: MountedFolder, { readOnly = false }: MountOptions = {}): this {
    if (typeof folder === 'string') this.#mounts.push({ source: folder, path, readOnly });
    else if (folder instanceof BrowserFolder)
      this.#browserFolders.push({ name: folder.name, path, readOnly });
    else this.#folders.push({ folder, path, readOnly });
    return this;
  }

  /** Leads a port of this machine to the container, such as `8080:80`. Only in Node. */
  publish(port: string): this {
    this.#ports.push(port);
    return this;
  }

  /**
   * Keeps its files under a name, of letters, digits, `_`, `.` and `-`. If a stopped container of the image
   * has the name, that one is started again.
   */
  name(name: string): this {
    this.#name = name;
    return this;
  }

  /**
   * Puts files into it before its program starts, unless its name has kept a container before.
   * @internal
   */
  files(files: NewFiles): this {
    this.#files = files;
    return this;
  }

  /** Lets `RunningContainer.keep` keep its files later. Until then they are in memory. */
  keepable(on = true): this {
    this.#isKeepable = on;
    return this;
  }

  /** Boots it, even if a start of its image has been saved. */
  fresh(on = true): this {
    this.#isFresh = on;
    return this;
  }

  /** Called when the kernel is up. */
  onBoot(report: (figures: BootFigures) => void): this {
    this.#onBoot = report;
    return this;
  }

  /**
   * Lets it run with less memory where the host refuses to give it as much, as phones do. Called with the
   * bytes that it gets. Without this, such a start fails.
   */
  onLessMemory(report: (memoryBytes: number) => void): this {
    this.#onLessMemory = report;
    return this;
  }

  /** Called with the log of the kernel. */
  onConsole(report: (bytes: Uint8Array<ArrayBuffer>) => void): this {
    this.#onConsole = report;
    return this;
  }

  /**
   * Boots a machine and starts the container; resolves when its program runs, or has failed to start.
   * @throws OptionError, ImageError, StorageError, MachineError, or the reason of the signal;
   *   ContainerInUseError if a container of its name runs; ContainerExistsError if one of its name is
   *   suspended, or of another image
   */
  async run(): Promise<RunningContainer> {
    const container = await this.start();
    await container.started;
    return container;
  }

  /**
   * Resolves before the program runs, so that a container that hangs at its start can be ended.
   * @internal
   */
  async start({ jit, savesItself }: InnerOptions = {}): Promise<StartedContainer> {
    const { stdio, terminal, pull: policy, credentials, onProgress, signal } = this.settings;
    const options = await this.#launchOptions();
    const loading = { policy, platform: this.#platform, credentials, onProgress, signal };
    return launch(
      options,
      {
        ...{ stdio, terminal, jit, savesItself, signal, folders: [...this.#folders] },
        ...{ onBoot: this.#onBoot, onLessMemory: this.#onLessMemory, onConsole: this.#onConsole },
      },
      () => this.#open(options, loading),
    );
  }

  /** Finds its image, and its disk if that is kept or can be. */
  async #open(launch: LaunchOptions, loading: LoadImageOptions): Promise<Source> {
    const [image, name, files] = [this.#image, this.#name, this.#files];
    const findStart = () => this.#findStart(launch);
    if (name !== undefined) {
      const { claimName } = await import('./kept.ts');
      return claimName({ name, image, loading, launch, findStart, files });
    }
    const keptDisk = this.#isKeepable ? { disk: randomId(), isDeferred: true } : undefined;
    if (files) {
      const { loadWithFiles } = await import('./kept.ts');
      return { keptDisk, image: loadWithFiles(files, launch.user, image, loading) };
    }
    return { keptDisk, ...((await findStart()) ?? { image: containerHost().loadImage(image, loading) }) };
  }

  /** Finds a saved start of a stored image, unless a newer image is asked for. */
  async #findStart(options: LaunchOptions): Promise<FoundStart | undefined> {
    const { pull = 'missing' } = this.settings;
    // A saved start has no shared folders.
    if ([this.#mounts, this.#browserFolders, this.#folders].some(({ length }) => length > 0))
      return undefined;
    if (this.#isFresh || pull === 'always' || typeof this.#image !== 'string') return undefined;
    if (!(await containerHost().hasStarts())) return undefined;
    const [{ findStart }, { nameOf }] = await Promise.all([
      import('./starts.ts'),
      containerHost().openKept(),
    ]);
    return findStart(nameOf(this.#image), options, this.#platform);
  }

  async #launchOptions(): Promise<LaunchOptions> {
    const { args, env, currentDir, user, network = 'internet', readOnly } = this.settings;
    const { cpus, memoryBytes, diskBytes } = machineOf(this.settings);
    return {
      ...this.#options,
      args: args.length === 0 && !this.#options.entrypoint ? undefined : [...args],
      env: assignmentsOf(env),
      currentDir,
      user,
      devices: [...this.#devices],
      readOnly,
      tmpfs: [...this.#tmpfs],
      ...(this.#mounts.length > 0 && { mounts: await Promise.all(this.#mounts.map(foundMount)) }),
      ...(this.#browserFolders.length > 0 && { browserFolders: [...this.#browserFolders] }),
      ports: this.#ports.flatMap(parsePort),
      ...{ cpus, memoryBytes, diskBytes, network },
      terminal: this.settings.terminal !== undefined,
    };
  }
}

/** Options of sharing a folder. */
export interface MountOptions {
  /** Whether the container only reads it. */
  readonly readOnly?: boolean | undefined;
}

/** @throws OptionError */
async function foundMount({ source, path, readOnly }: FolderMount): Promise<FolderMount> {
  return {
    source: await containerHost().findFolder(source),
    path: normaliseMountPath(path, 'a shared folder'),
    readOnly,
  };
}
