/** Docker's commands for kept containers, and for the images and tars that are made of them. */
import { DockerError, NotFoundError } from '../docker/errors.ts';
import { formatBytes } from '../docker/format.ts';
import type { Report } from '../docker/inspect.ts';
import type {
  CommitWords,
  ExportWords,
  PruneWords,
  RenameWords,
  RmWords,
  SaveWords,
} from '../docker/words.ts';
import { chunks } from '../streams/chunks.ts';
import { findStopped } from './container-info.ts';
import { findContainer, isRunning, renameContainer as renameRunning } from './docker-containers.ts';
import { findImage } from './docker-images.ts';
import * as containers from './kept-containers.ts';
import { saveImage } from './local-images.ts';

/** Removes containers. One that cannot be removed does not keep the others. */
export async function removeContainers({ containers: names, force }: RmWords): Promise<Report> {
  let output = '';
  const problems: string[] = [];
  for (const name of names) {
    try {
      await removeContainer(name, force);
      output += `${name}\n`;
    } catch (error) {
      if (!force || !(error instanceof NotFoundError)) problems.push((error as Error).message);
    }
  }
  return { output, problems };
}

async function removeContainer(text: string, force: boolean): Promise<void> {
  if (!isRunning(text)) return containers.remove((await findStopped(text)).name);
  if (!force) throw new DockerError(`the container "${text}" is running: stop it, or use rm -f`, 1);
  const { container, info } = findContainer(text);
  await container[Symbol.asyncDispose]();
  if (info.isKept) await containers.remove(info.name);
}

/** @throws DockerError, StorageError */
export async function renameContainer({ container, newName }: RenameWords): Promise<void> {
  if (isRunning(container)) return renameRunning(findContainer(container), newName);
  await containers.rename((await findStopped(container)).name, newName);
}

/** @throws DockerError without the flag `force`, because nobody can be asked */
export async function pruneContainers({ force }: PruneWords): Promise<string> {
  if (!force) throw new DockerError('all kept containers that do not run would be removed: use prune -f', 1);
  const stopped = (await containers.list()).filter(({ status }) => status !== 'running');
  for (const { name } of stopped) await containers.remove(name);
  const freed = stopped.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
  return `${stopped.map(({ name }) => `${name}\n`).join('')}Total reclaimed space: ${formatBytes(freed)}\n`;
}

/** @returns the canonical reference of the image */
export async function commitContainer(words: CommitWords): Promise<string> {
  const { container, image, author, message, changes } = words;
  const options = { author, message, changes };
  if (isRunning(container)) return findContainer(container).container.commit(image, options);
  return containers.commit((await findStopped(container)).name, image, options);
}

async function saveFound(name: string): Promise<AsyncIterable<Uint8Array>> {
  const { reference, platform } = await findImage(name);
  return saveImage(reference, platform);
}

/** The tar that `export` or `save` prints. */
export async function archiveOf(words: ExportWords | SaveWords): Promise<AsyncIterable<Uint8Array>> {
  if (words.output !== undefined)
    throw new DockerError('-o is for the command line, linuxrun: read standard output', 1);
  if (words.command === 'save') return saveFound(words.image);
  if (isRunning(words.container))
    return chunks(await findContainer(words.container).container.exportChanges());
  return chunks(await containers.export((await findStopped(words.container)).name));
}
