import { type ProgramOptions, runContainer } from '../container/container.ts';
import { bootImage, type ImageMachine } from '../container/image-machine.ts';
import { background } from './background.ts';
import type { StartedProcess } from './child.ts';
import { host } from './host.ts';
import type { LoadedImage, LoadImageOptions } from './load-image.ts';
import type { MachineSize } from './machine-settings.ts';
import { rest, wake } from './resting.ts';

/** How long a machine stays after its command, in ms. */
const REST = 5_000;

export interface ImageCommand {
  readonly image: string;
  readonly loading: LoadImageOptions;
  readonly size: MachineSize;
  readonly program: ProgramOptions;
}

interface WarmMachine extends ImageMachine {
  readonly digest: string;
}

/** The machines that have run a command, by what was asked for, and the timers of their ends. */
const resting = new Map<string, Map<WarmMachine, ReturnType<typeof background>>>();

/**
 * Runs a command in a machine of its own: a new one, or one whose last command wanted the same. Each command
 * has a container of its own, with the files of the image.
 * @throws OptionError, ImageError, StorageError, MachineError, or the reason of the signal
 */
export async function runInMachine({ image, loading, size, program }: ImageCommand): Promise<StartedProcess> {
  loading.signal?.throwIfAborted();
  const key = JSON.stringify([image, size]);
  const loaded = host().loadImage(image, loading);
  const warm = (await take(key, loaded)) ?? (await boot(key, size, loaded, loading.signal));
  try {
    const process = runContainer(warm, program);
    process.settle().then(
      () => keep(key, warm),
      () => warm.stop(),
    );
    // Output that is left when it has ended is in this thread.
    return { process, hold: () => () => {} };
  } catch (error) {
    keep(key, warm);
    throw error;
  }
}

/** A machine with the same image, if there is one. */
async function take(key: string, loading: Promise<LoadedImage>): Promise<WarmMachine | undefined> {
  if (!resting.has(key)) return undefined;
  const image = await loading;
  const warm = [...(resting.get(key)?.keys() ?? [])].find(({ digest }) => digest === image.digest);
  if (!warm) return undefined;
  forget(key, warm);
  warm.machine.setReferenced(true);
  await image.release();
  return warm;
}

async function boot(
  key: string,
  size: MachineSize,
  image: Promise<LoadedImage>,
  signal: AbortSignal | undefined,
): Promise<WarmMachine> {
  const { storeFolder: store } = host();
  const platform = host().createPlatform(size.cpus);
  const machine = await bootImage({ ...size, platform, image, store, signal });
  const warm = { ...machine, digest: (await image).digest };
  const drop = () => forget(key, warm);
  warm.machine.exit.then(drop, drop);
  return warm;
}

/** Keeps a machine for the next command, if there is one soon. */
function keep(key: string, warm: WarmMachine): void {
  const { machine } = warm;
  machine.setReferenced(false);
  const timer = background(() => {
    forget(key, warm);
    void warm.stop();
  }, REST);
  resting.set(key, (resting.get(key) ?? new Map()).set(warm, timer));
  rest(warm, () => {
    forget(key, warm);
    return warm.stop();
  });
}

function forget(key: string, warm: WarmMachine): void {
  wake(warm);
  const machines = resting.get(key);
  clearTimeout(machines?.get(warm));
  machines?.delete(warm);
  if (machines?.size === 0) resting.delete(key);
}
