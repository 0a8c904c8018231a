/** `linuxrun logs`. */
import type { LogsWords } from '../docker/words.ts';
import { findContainer } from './client.ts';
import { showOutput } from './remote-output.ts';
import { Sockets } from './sockets.ts';

export async function dockerLogs({ container: name, follow, tail }: LogsWords): Promise<number> {
  const container = await findContainer(await Sockets.open(process.env), name);
  return showOutput(container.connect('/logs', { tail, follow: follow ? 1 : undefined }));
}
