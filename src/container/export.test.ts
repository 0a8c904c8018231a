import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { readErofs } from '../disk/testing/erofs-reader.ts';
import {
  differences,
  type Facts,
  type Listing,
  listErofs,
  listWalk,
  TYPE_BITS,
  withoutDirectoryLinks,
} from '../disk/testing/facts.ts';
import { indexTar, makeDisk, readLayers } from '../disk/testing/images.ts';
import { writeLayout } from '../disk/testing/layout-writer.ts';
import { HAS_UMOCI, unpackWithUmoci } from '../disk/testing/linux.ts';
import { concat, type EntrySpec, end, entry } from '../disk/testing/tar-writer.ts';
import { type ContainerHandle, diskSerial, type FileReading, type Machine } from '../machine/machine.ts';
import { boot, PUBLIC, pull, text } from './testing/run.ts';

const MIB = 1 << 20;
const ROOT = join(import.meta.dirname, '../..');
const DISKS = { image: diskSerial(0), scratch: diskSerial(1) };
const LONG = 'n'.repeat(200);

let folder: string;
let layers: Uint8Array[];
let machine: Machine;

function compile(source: string): Uint8Array {
  const program = join(folder, 'program');
  execFileSync('riscv64-linux-gnu-gcc', ['-O2', '-static', '-o', program, join(ROOT, source)]);
  return new Uint8Array(readFileSync(program));
}

/** A layer with programs, and folders and files to be changed. */
function lowerLayer(): Uint8Array {
  const attributes = { mode: 0o755, uid: 3, gid: 4, mtime: 1_000_000_000, mtimeNs: 0, xattrs: [] };
  const file = (path: string, contents: Uint8Array = Buffer.from(path)) =>
    entry({ ...attributes, type: 'file', path, contents } as EntrySpec);
  const directory = (path: string) => entry({ ...attributes, type: 'directory', path } as EntrySpec);
  return concat(
    file('bin/walk', compile('src/disk/testing/walk.c')),
    file('bin/change', compile('kernel/init/test/change.c')),
    ...['old', 'old/sub', 'old/sub/deep', 'emptied', 'replaced', 'removed', 'turned'].map(directory),
    ...['old/file', 'old/gone', 'old/sub/file', 'old/sub/deep/file', 'emptied/file', 'replaced/file'].map(
      (path) => file(path),
    ),
    ...['removed/file', 'turned/file', 'other'].map((path) => file(path)),
    entry({ ...attributes, type: 'hardlink', path: 'old/sub/same', target: 'old/sub/file' } as EntrySpec),
    end(),
  );
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-export-'));
  layers = [...readLayers('busybox', join(PUBLIC, 'images')), lowerLayer()];
  const layout = join(folder, 'layout');
  await writeLayout(layout, 'image', layers);
  const image = await pull(`oci://${layout}:image`);
  machine = await boot([{ kind: 'scratch', sizeBytes: 64 * MIB }]);
  await machine.openImage(image.layers);
}, 60_000);
afterAll(async () => {
  await machine?.stop();
  rmSync(folder, { recursive: true });
});

const common = { env: ['PATH=/bin'], directory: '/', user: '' };

function start(script: string) {
  const [hostname, args] = ['host', ['sh', '-c', script]];
  const none = { volumes: [], devices: [], tmpfs: [] };
  const options = { ...common, ...none, name: 'one', args, hostname, disks: DISKS, kept: true };
  const container = machine.runContainer(options);
  onTestFinished(async () => {
    container.kill(9);
    await container.exit;
  });
  return container;
}

const shell = (container: ContainerHandle, script: string) =>
  text(machine.exec(container, { ...common, args: ['sh', '-c', `{ ${script}\n} 2>&1`] }).stdout);

async function read(reading: FileReading) {
  const [content, messages] = await Promise.all([
    new Response(reading.content).arrayBuffer(),
    text(reading.messages),
  ]);
  return { tar: new Uint8Array(content), messages, status: await reading.exit };
}

/** The files of the container's root, as a process outside sees them. */
async function listContainer(): Promise<Listing> {
  const script = `for p in /proc/[0-9]*; do
    r=$p/root/run/root
    [ -e $r/bin/walk ] && exec $r/bin/walk $r
  done`;
  const { stdout } = machine.run({ args: ['sh', '-c', script], env: {}, cwd: '/' });
  return listWalk((await text(stdout)).split('\n').slice(0, -1));
}

const CHANGES = `
set -e
mkdir -p /made/a/b; cd /made
echo text > file; chmod 4751 file; chown 3000000:4000000 file
dd if=/dev/urandom of=large bs=1000 count=3000 2>/dev/null
ln file hard; ln file /hard; ln -s /no/where link; ln link /link
ln -s ${LONG}${LONG} long
mkdir -p ${LONG}/${LONG}/${LONG}; echo deep > ${LONG}/${LONG}/${LONG}/file
ln ${LONG}/${LONG}/${LONG}/file ${LONG}/hard
mkfifo pipe; mknod device b 7 300; mknod character c 1 3
change
rm -r /removed /emptied/file /other
rm -r /replaced; mkdir /replaced; echo new > /replaced/new
rm -r /turned; echo file > /turned
echo changed >> /old/file; echo new > /old/sub/new; ln /old/sub/new /made/new
mv /old/sub/deep /old/sub/moved; rm /old/gone
mv /old /young
mkdir /old; echo old > /old/own
mv /young/sub/moved /elsewhere; echo more > /elsewhere/more; ln /made/new /young/linked
mv /made/a /young/sub/a
chmod 711 /
touch .wh.odd
`;

/** Files of the container that a layer cannot have, or that the agent makes at each start. */
const LEFT_OUT = ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'made/socket', 'made/.wh.odd'];

/** The files of the container's root as a layer can have them. */
async function listExpected(): Promise<Listing> {
  const expected = new Map(await listContainer());
  for (const path of LEFT_OUT) expect(expected.delete(path)).toBe(true);
  const facts = expected.get('made/attributes') as Facts;
  // The names of records in a tar have no '='.
  const rest = Object.entries(facts.xattrs).filter(([name]) => !Buffer.from(name, 'hex').includes('='));
  expect(rest.length).toBe(2);
  expected.set('made/attributes', { ...facts, xattrs: Object.fromEntries(rest) });
  return withoutDirectoryLinks(expected);
}

const listLayers = (tars: Uint8Array[]) => withoutDirectoryLinks(listErofs(readErofs(makeDisk(tars))));

/** Without the permissions of links, which are always the same in a folder of the host. */
const withoutLinkModes = (listing: Listing): Listing =>
  new Map(
    [...listing].map(([path, facts]) => [
      path,
      (facts.mode & 0o170000) === TYPE_BITS.symlink ? { ...facts, mode: TYPE_BITS.symlink } : facts,
    ]),
  );

async function isFrozen(): Promise<boolean> {
  const args = ['cat', '/sys/fs/cgroup/containers/one/cgroup.events'];
  const { stdout } = machine.run({ args: ['busybox', ...args], env: { PATH: '/bin' }, cwd: '/' });
  return (await text(stdout)).includes('frozen 1');
}

test('changes become a layer, whether the container runs or not', async () => {
  const container = start('sleep 1000');
  await container.started;
  expect(await shell(container, CHANGES)).toBe('');
  const running = await read(machine.files.exportChanges(container));
  expect([running.status, running.messages]).toEqual([
    0,
    'LinuxRun: left out, because a layer cannot have names that begin with .wh.: 1\n',
  ]);
  // A folder that is new needs no mark, because there is nothing that it replaces.
  const marks = indexTar(running.tar)
    .entries.map(({ path }) => path)
    .filter((path) => path.endsWith('.opq'));
  expect(marks.sort()).toEqual(['old/.wh..wh..opq', 'replaced/.wh..wh..opq']);
  const expected = await listExpected();
  expect(differences(listLayers([...layers, running.tar]), expected)).toEqual([]);
  if (HAS_UMOCI) {
    const unpacked = await unpackWithUmoci([...layers, running.tar]);
    expect(differences(withoutLinkModes(unpacked), withoutLinkModes(expected))).toEqual([]);
  }

  container.kill(9);
  await container.exit;
  const { tar, status } = await read(machine.files.exportChanges(DISKS));
  expect(status).toBe(0);
  expect(differences(listLayers([...layers, tar]), expected)).toEqual([]);
}, 60_000);

test('a container is frozen while it is exported, also if the host gives up', async () => {
  const container = start('read line; echo $line');
  await container.started;
  const { content, kill, exit } = machine.files.exportChanges(container);
  const reader = content.getReader();
  await reader.read();
  expect(await isFrozen()).toBe(true);
  kill(9);
  await exit;
  await vi.waitUntil(async () => !(await isFrozen()));
  const input = container.stdin.getWriter();
  await input.write(Buffer.from('goes on\n'));
  expect(await text(container.stdout)).toBe('goes on\n');
  await container.exit;
});

test('a path that no layer can have is reported', async () => {
  const container = start(
    `mkdir /deep; cd /deep; for i in $(seq 21); do mkdir ${LONG}; cd ${LONG}; done; echo; sleep 1000`,
  );
  await container.stdout.getReader().read();
  const { messages, status } = await read(machine.files.exportChanges(container));
  expect(messages).toMatch(/^ENAMETOOLONG: name too long: \/deep\/n+\/n.*\n$/);
  expect(status).toBe(1);
  container.kill(9);
  await container.exit;
  const gone = await read(machine.files.exportChanges(container));
  expect([gone.status, gone.messages]).toEqual([1, 'ESRCH: the container does not run\n']);
});
