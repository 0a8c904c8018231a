/** `linuxrun rm`, `rename` and `container prune`. */
import { createInterface } from 'node:readline/promises';
import { list, remove, rename } from '../api/kept-list.ts';
import { DockerError, NotFoundError } from '../docker/errors.ts';
import { formatBytes } from '../docker/format.ts';
import type { PruneWords, RenameWords, RmWords } from '../docker/words.ts';
import { forEach } from './each.ts';
import { findAny, whenStopped } from './kept.ts';
import { write } from './program.ts';
import { Sockets } from './sockets.ts';

export async function dockerRm({ containers, force }: RmWords): Promise<number> {
  const sockets = await Sockets.open(process.env);
  return forEach(containers, async (name) => {
    try {
      await removeOne(sockets, name, force);
    } catch (error) {
      if (!force || !(error instanceof NotFoundError)) throw error;
    }
  });
}

async function removeOne(sockets: Sockets, name: string, force: boolean): Promise<void> {
  const { running, stopped } = await findAny(sockets, name);
  if (stopped) return whenStopped(() => remove(stopped.name));
  if (!force) throw new DockerError(`the container "${name}" is running: stop it, or use rm -f`, 1);
  const { name: known, isKept } = await running.info();
  await running.call('POST', '/stop', { seconds: 0 });
  if (isKept) await whenStopped(() => remove(known));
}

export async function dockerRename({ container, newName }: RenameWords): Promise<number> {
  const { running, stopped } = await findAny(await Sockets.open(process.env), container);
  if (stopped) await whenStopped(() => rename(stopped.name, newName));
  else await running.call('POST', '/rename', { name: newName });
  return 0;
}

/** Removes what `ps -a` shows beside `ps`. */
export async function dockerPrune({ force }: PruneWords): Promise<number> {
  const stopped = (await list()).filter(({ status }) => status !== 'running');
  if (!force && !(await confirm(stopped.map(({ name }) => name)))) return 0;
  let freed = 0;
  for (const { name, usedBytes } of stopped) {
    await remove(name);
    freed += usedBytes;
    await write(process.stdout, `${name}\n`);
  }
  await write(process.stdout, `Total reclaimed space: ${formatBytes(freed)}\n`);
  return 0;
}

async function confirm(names: readonly string[]): Promise<boolean> {
  if (names.length === 0) return true;
  const question = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await question.question(
    `This removes all kept containers that do not run, with their files: ${names.join(', ')}\nGo on? [y/N] `,
  );
  question.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
