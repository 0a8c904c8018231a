/** `linuxrun commit`, `export` and `import`. */
import '../api/node.ts';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import * as containers from '../api/kept-containers.ts';
import type { ImportWords } from '../docker/docker.ts';
import { CommandError } from './errors.ts';
import { write } from './program.ts';

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
