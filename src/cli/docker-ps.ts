/** `linuxrun ps`. */
import { type ContainerInfo, formatContainers } from '../docker/containers.ts';
import type { PsWords } from '../docker/words.ts';
import { findContainer, listContainers } from './client.ts';
import { write } from './program.ts';
import { Sockets } from './sockets.ts';

export async function dockerPs(words: PsWords): Promise<number> {
  const sockets = await Sockets.open(process.env);
  const running = await listContainers(sockets);
  const shown = words.size ? await Promise.all(running.map((info) => withSize(sockets, info))) : running;
  const stopped = words.all ? await listStopped(words.size) : [];
  await write(process.stdout, formatContainers([...shown, ...stopped], words));
  return 0;
}

async function listStopped(withSizes: boolean): Promise<ContainerInfo[]> {
  await import('./kept.ts');
  const { stoppedContainers } = await import('../api/container-info.ts');
  return stoppedContainers(withSizes);
}

/** One that ends meanwhile has no size. */
async function withSize(sockets: Sockets, info: ContainerInfo): Promise<ContainerInfo> {
  const measure = async () => (await findContainer(sockets, info.name)).call<number>('GET', '/size');
  return { ...info, size: await measure().catch(() => undefined) };
}
