/** `linuxrun suspend`. */
import { DockerError } from '../docker/errors.ts';
import type { SuspendWords } from '../docker/words.ts';
import { forEach } from './each.ts';
import { findAny } from './kept.ts';
import { writeOutput } from './output-file.ts';
import { Sockets } from './sockets.ts';

export async function dockerSuspend({ containers, snapshot }: SuspendWords): Promise<number> {
  const sockets = await Sockets.open(process.env);
  return forEach(containers, async (name) => {
    const { running: container } = await findAny(sockets, name);
    if (!container) throw new DockerError(`the container "${name}" is not running`, 1);
    if (snapshot === undefined) {
      await container.call('POST', '/suspend');
      return;
    }
    await writeOutput(await container.read('/session', {}), snapshot);
    // It stands still until the file has been read, and must not go on for long then.
    await container.call('POST', '/stop', { seconds: 0 });
  });
}
