/** `linuxrun ps`. */
import { formatContainers } from '../docker/containers.ts';
import type { PsWords } from '../docker/docker.ts';
import { listContainers } from './client.ts';
import { write } from './program.ts';
import { Sockets } from './sockets.ts';

export async function dockerPs(words: PsWords): Promise<number> {
  const containers = await listContainers(await Sockets.open(process.env));
  await write(process.stdout, formatContainers(containers, words));
  return 0;
}
