import { afterAll, beforeAll, expect, test } from 'vitest';
import { Linuxrun } from './testing/linuxrun.ts';

const TIMEOUT = 120_000;

let linuxrun: Linuxrun;
const run: Linuxrun['run'] = (line, given) => linuxrun.run(line, given);

beforeAll(async () => {
  linuxrun = await Linuxrun.bundle();
}, TIMEOUT);
afterAll(() => linuxrun.remove());

test('images are pulled, listed, inspected and removed', { timeout: TIMEOUT }, async () => {
  expect((await run('images')).stdout).toBe('REPOSITORY   TAG   IMAGE ID   LAST USED   SIZE\n');
  const pulled = await run('pull -q hello-world');
  expect(pulled).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringMatching(/^oci:.*:hello-world\n$/),
  });

  const { stdout: list } = await run('images');
  expect(list).toMatch(/^oci:\S+ +hello-world +[0-9a-f]{12} +\S.* ago +4\.1kB\n$/m);
  const { stdout: id } = await run('images -q --no-trunc');
  expect(id).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  expect((await run("images --format '{{.Tag}} {{.Size}}'")).stdout).toBe('hello-world 4.1kB\n');
  expect((await run('images nosuch --json')).stdout).toBe('');

  const [image] = JSON.parse((await run('inspect hello-world')).stdout);
  expect(image).toMatchObject({ Id: id.trim(), Architecture: 'riscv64', Config: { Cmd: ['/hello'] } });
  expect((await run(`inspect --type image -f '{{.Id}}' ${id.slice(7, 15)}`)).stdout).toBe(id);

  expect(await run('rmi nosuch hello-world')).toEqual({
    status: 1,
    stdout: `Untagged: ${pulled.stdout.trim()}\nDeleted: ${id}`,
    stderr: 'linuxrun: No such image: nosuch\n',
  });
  expect(await run('rmi -f hello-world')).toEqual({ status: 0, stdout: '', stderr: '' });
  expect((await run('images -q')).stdout).toBe('');
});

test('the other commands tell their version, and their help', { timeout: TIMEOUT }, async () => {
  expect((await run('version')).stdout).toMatch(/^linuxrun \d+\.\d+\.\d+ \(Node \d+\.\d+\.\d+\)\n$/);
  expect((await run("version --format '{{json .Client.Version}}'")).stdout).toMatch(/^"\d+\.\d+\.\d+"\n$/);
  expect(await run('')).toMatchObject({ status: 0, stdout: expect.stringContaining('\n  run ') });
  expect((await run('run --help')).stdout).not.toContain('--gpus');
  expect(await run('frob')).toEqual({
    status: 1,
    stdout: '',
    stderr: "linuxrun: unknown command: frob\n\nRun 'linuxrun --help' for more information\n",
  });
});
