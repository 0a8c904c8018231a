/**
 * node test-in-linux.mjs IMAGE FOLDER PROGRAM [ARGUMENT…]
 *
 * Copies a folder into a container, runs a program there, and ends with its status.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path/posix';
import { Container } from 'linuxrun';

const [, , image, folder, ...program] = process.argv;
const PROJECT = '/project';

const container = await new Container(image)
  .entrypoint(['sleep', '3600'])
  .init()
  .signal(AbortSignal.timeout(10 * 60_000))
  .run();
await container.fs.mkdir(PROJECT);
for (const path of (await readdir(folder, { recursive: true })).sort()) {
  const source = join(folder, path);
  const info = await stat(source);
  if (info.isDirectory()) await container.fs.mkdir(join(PROJECT, path), { recursive: true });
  else await container.fs.writeFile(join(PROJECT, path), await readFile(source), { mode: info.mode & 0o777 });
}
const test = container.exec(program, { currentDir: PROJECT, stdout: 'inherit', stderr: 'inherit' });
process.exitCode = await test.wait();
await container.stop();
