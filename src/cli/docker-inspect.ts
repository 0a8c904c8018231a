/** `linuxrun inspect`. */
import { describeContainer } from '../docker/containers.ts';
import { NotFoundError } from '../docker/errors.ts';
import { inspect } from '../docker/inspect.ts';
import type { InspectWords } from '../docker/words.ts';
import { CommandError } from './errors.ts';
import { report } from './program.ts';
import { Sockets } from './sockets.ts';

export async function dockerInspect(words: InspectWords): Promise<number> {
  const sockets = await Sockets.open(process.env);
  return report(
    await inspect(words, {
      async container(name) {
        const { running, stopped } = await (await import('./kept.ts')).findAny(sockets, name);
        if (stopped) return describeContainer(stopped);
        return describeContainer(await running.info().catch((error) => missing(error, name)));
      },
      async image(name) {
        await import('../api/node.ts');
        return (await import('../api/docker-images.ts')).describeImage(name);
      },
    }),
  );
}

/** A container may end meanwhile. */
function missing(error: unknown, name: string): never {
  throw error instanceof CommandError ? new NotFoundError('container', name) : error;
}
