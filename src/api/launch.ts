import {
  type ContainerMachine,
  type FolderShare,
  resumeContainer,
  startContainer,
} from '../container/container.ts';
import type { FolderOptions } from '../folders/folder-options.ts';
import { serveFolder } from '../folders/remote-folder.ts';
import type { SharedFolder } from '../folders/shared-folder.ts';
import type { BootFigures, NetworkStatus } from '../machine/machine.ts';
import type { Platform } from '../machine/platform/platform.ts';
import { checkHostname } from '../options/check.ts';
import type { JitMode } from '../options/jit.mjs';
import { normaliseMountPath } from '../options/mount-path.mjs';
import { BrowserFolder, type MountedFolder, storedFolders } from './browser-folder.ts';
import { Events } from './container-events.ts';
import { placeOfOwn, placeOfPicked } from './folder-places.ts';
import { containerHost, type Publication, type PublishedPort } from './host.ts';
import type { Keeping, Source } from './kept.ts';
import type { BrowserFolderMount, FolderMount, LaunchOptions } from './kept-options.ts';
import { machineOf } from './machine-settings.ts';
import type { OpenedSession } from './opened-session.ts';
import { StartedContainer } from './started-container.ts';
import { checkStdio, PIPED, type StdioSettings, type Terminal, terminalOf } from './stdio.ts';

/** How this run of a container is connected. */
export interface LiveOptions {
  readonly stdio?: Partial<StdioSettings> | undefined;
  readonly terminal?: Terminal | undefined;
  readonly jit?: JitMode | undefined;
  /** Whether a kept container saves its memory when it rests; by default true. */
  readonly savesItself?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Folders of this thread that it shares. */
  readonly folders?: readonly OwnFolder[] | undefined;
  readonly onBoot?: ((figures: BootFigures) => void) | undefined;
  readonly onLessMemory?: ((memoryBytes: number) => void) | undefined;
  readonly onConsole?: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
}

/** A folder of this thread for a container. */
export interface OwnFolder {
  readonly folder: Exclude<MountedFolder, string>;
  readonly path: string;
  readonly readOnly: boolean;
}

/**
 * Boots a machine and starts a container in it.
 * @param open gives the container its image, and its disk if that is kept
 * @internal
 */
export async function launch(
  options: LaunchOptions,
  live: LiveOptions,
  open: () => Promise<Source>,
): Promise<StartedContainer> {
  checkStdio(live.stdio ?? {});
  if (options.hostname !== undefined) checkHostname(options.hostname);
  const {
    ports,
    terminal: _,
    cpus,
    memoryBytes,
    diskBytes,
    network,
    mounts = [],
    browserFolders = [],
    ...program
  } = options;
  const folders = [...browserFolders.map(ownFolder), ...(live.folders ?? [])];
  const shares = await sharesOf(mounts, folders);
  const machine = machineOf({ cpus, memory: memoryBytes, disk: diskBytes, network });
  const events = new Events();
  const releaseFolders = await claimFolders(folders);
  const publication = await publish(ports);
  const { terminal, signal } = live;
  let session: OpenedSession | undefined;
  try {
    // Its workers start while the image is loaded.
    const platform = containerHost().createPlatform(cpus);
    const { image, kept: keeping, keptDisk, openSession } = await sourceOf(open, platform);
    session = await openSession?.(await platform.loadEmulator());
    const common = {
      ...machine,
      jit: live.jit,
      image,
      keptDisk,
      platform,
      spare: containerHost().spare,
      store: containerHost().storeFolder,
      onNetwork: (status: NetworkStatus) => {
        events.network = status;
        events.emit('network', status);
      },
      onDiskProblem: (problem: string | undefined) => events.emit('disk', { problem }),
      onConsole: live.onConsole,
      onBoot: live.onBoot,
      onLessMemory: live.onLessMemory,
      signal,
    };
    const container = await (session
      ? resumeContainer({ ...common, session })
      : startContainer({ ...common, ...program, shares, terminal: terminal && terminalOf(terminal) }));
    void container.exit.catch(() => {}).then(releaseFolders);
    const kept = await keepFiles(container, keeping, keptDisk?.isDeferred === true);
    publication?.serve(container);
    return new StartedContainer(container, {
      stdio: { ...PIPED, ...live.stdio },
      signal,
      hasTerminal: terminal !== undefined,
      events,
      publication,
      image: await image,
      launch: options,
      keptDisk,
      kept,
      platform,
      session,
      // With shared folders it cannot be saved.
      savesItself: (live.savesItself ?? true) && shares.length === 0,
    });
  } catch (error) {
    session?.close?.();
    releaseFolders();
    await publication?.end();
    throw error;
  }
}

function ownFolder({ name, ...mount }: BrowserFolderMount): OwnFolder {
  return { folder: new BrowserFolder(name), ...mount };
}

async function sharesOf(
  mounts: readonly FolderMount[],
  folders: readonly OwnFolder[],
): Promise<FolderShare[]> {
  return Promise.all([
    ...mounts.map(({ source, ...mount }) => ({ ...mount, folder: { kind: 'host', path: source } as const })),
    ...folders.map(async ({ folder, path, readOnly }) => ({
      path: normaliseMountPath(path, 'a shared folder'),
      folder: await optionsOf(folder),
      readOnly,
    })),
  ]);
}

async function optionsOf(folder: OwnFolder['folder']): Promise<FolderOptions> {
  if (folder instanceof BrowserFolder) return { kind: 'stored', name: folder.name };
  if (!('kind' in folder)) return { kind: 'remote', port: portOf(folder), place: placeOfOwn(folder) };
  const handle = folder as FileSystemDirectoryHandle;
  return { kind: 'picked', handle, place: await placeOfPicked(handle) };
}

/** Takes the folders of the browser for this container. @throws OptionError, StorageError */
async function claimFolders(folders: readonly OwnFolder[]): Promise<() => void> {
  const claims: (() => Promise<void>)[] = [];
  const release = () => {
    for (const end of claims) void end();
  };
  try {
    for (const { folder } of folders)
      if (folder instanceof BrowserFolder) claims.push(await storedFolders().claim(folder.name));
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

/** The port by which a machine reaches a folder of this thread. */
function portOf(folder: SharedFolder): MessagePort {
  const { port1, port2 } = new MessageChannel();
  serveFolder(folder, port1);
  // In Node, the machine keeps the process alive, not the port.
  (port1 as { unref?(): void }).unref?.();
  return port2;
}

/** Puts the files of a new container into the store. */
async function keepFiles(
  container: ContainerMachine,
  keeping: Source['kept'],
  isDeferred: boolean,
): Promise<Keeping | undefined> {
  const kept = await keeping;
  if (!kept || !isDeferred) return kept;
  try {
    await container.keepDisk();
    return kept;
  } catch (error) {
    await container.destroy();
    throw error;
  }
}

async function sourceOf(open: () => Promise<Source>, platform: Platform): Promise<Source> {
  try {
    return await open();
  } catch (error) {
    platform.dismiss?.();
    throw error;
  }
}

async function publish(ports: readonly PublishedPort[]): Promise<Publication | undefined> {
  return ports.length === 0 ? undefined : containerHost().publish(ports);
}
