/** `linuxrun commit`, `export` and `import`. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import * as containers from '../api/kept-containers.ts';
import type { CommitOptions } from '../api/local-images.ts';
import type { CommitWords, ExportWords, ImportWords } from '../docker/words.ts';
import { chunks } from '../streams/chunks.ts';
import { CommandError } from './errors.ts';
import { findAny, whenStopped } from './kept.ts';
import { writeOutput } from './output-file.ts';
import { write } from './program.ts';
import { Sockets } from './sockets.ts';

export async function dockerCommit(words: CommitWords): Promise<number> {
  const { image, author, message, changes } = words;
  const options: CommitOptions = { author, message, changes };
  const { running, stopped } = await findAny(await Sockets.open(process.env), words.container);
  const reference = stopped
    ? await whenStopped(() => containers.commit(stopped.name, image, options))
    : await running.call<string>('POST', '/commit', { image, options: JSON.stringify(options) });
  await write(process.stdout, `${reference}\n`);
  return 0;
}

export async function dockerExport({ container, output }: ExportWords): Promise<number> {
  const { running, stopped } = await findAny(await Sockets.open(process.env), container);
  const changes = stopped
    ? chunks(await containers.export(stopped.name))
    : await running.read('/changes', {});
  await writeOutput(changes, output);
  return 0;
}

export async function dockerImport({ name, file, image }: ImportWords): Promise<number> {
  const source = file === '-' ? process.stdin : createReadStream(file);
  const failed = new Promise<never>((_, reject) => {
    source.once('error', ({ code }: NodeJS.ErrnoException) =>
      reject(new CommandError(`cannot read ${file}: ${code}`)),
    );
  });
  const changes = Readable.toWeb(source) as ReadableStream<Uint8Array>;
  await Promise.race([failed, containers.import(name, image, changes)]);
  await write(process.stdout, `${name}\n`);
  return 0;
}
