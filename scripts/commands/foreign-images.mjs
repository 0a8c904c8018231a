/**
 * `node scripts/foreign-images.mjs [TAG…]` makes the images of `src/container/foreign-programs.test.ts`:
 * Debian for other processors with interpreters and a program in Go, and a root of BusyBox and musl, as
 * Alpine has it. It takes some minutes and 300 MB of downloads, so neither set-up nor tests do it.
 */
import { chmod, cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configureApt } from '../setup/apt.mjs';
import { ensurePackages } from '../setup/debian.mjs';
import { makeImages, SUITE, unpackPackages } from '../setup/debian-image.mjs';
import { runMain } from '../setup/failure.mjs';
import { FOREIGN_IMAGES, inProject } from '../setup/places.mjs';
import { run } from '../setup/run.mjs';

const HERE = process.arch === 'arm64' ? 'arm64' : 'amd64';
const GO = '1.24';
const PROGRAMS = inProject('src/container/testing');

/** GNU's names of processors. */
const GNU = { arm64: 'aarch64', amd64: 'x86_64' };

/** @param {keyof typeof GNU} architecture @param {string} root @param {string} work */
async function addGoProgram(architecture, root, work) {
  const tools = join(work, 'go');
  await unpackPackages([`golang-${GO}-go`, `golang-${GO}-src`], HERE, join(work, 'go-packages'), tools);
  const env = {
    GOROOT: join(tools, `usr/lib/go-${GO}`),
    GOCACHE: join(work, 'go-cache'),
    GOARCH: architecture,
    GOTOOLCHAIN: 'local',
    GO111MODULE: 'off',
    CGO_ENABLED: '0',
  };
  const output = join(root, 'usr/local/bin/go-program');
  await run(join(env.GOROOT, 'bin/go'), ['build', '-o', output, join(PROGRAMS, 'foreign/program.go')], {
    env,
  });
}

/**
 * Writes a compiler that links with musl.
 * @param {keyof typeof GNU} architecture @param {string} work
 */
async function muslCompiler(architecture, work) {
  const [cpu, files] = [GNU[architecture], join(work, 'musl')];
  const packages = ['musl-dev', 'linux-libc-dev'];
  await unpackPackages(packages, architecture, join(work, 'musl-packages'), files);
  const [libraries, headers] = [join(files, `usr/lib/${cpu}-linux-musl`), join(files, 'usr/include')];
  const include = [`${headers}/${cpu}-linux-musl`, headers, `${headers}/${cpu}-linux-gnu`];
  const specs = join(work, 'musl.specs');
  await writeFile(
    specs,
    [
      `*link:\n-dynamic-linker /lib/ld-musl-${cpu}.so.1 -L${libraries} %{static:-static} %{shared:-shared}`,
      `*startfile:\n${libraries}/crt1.o ${libraries}/crti.o crtbegin.o%s`,
      `*endfile:\ncrtend.o%s ${libraries}/crtn.o`,
      `*lib:\n-lc`,
      `*libgcc:\nlibgcc.a%s`,
    ].join('\n\n'),
  );
  const gcc = `${cpu}-linux-gnu-gcc`;
  // GCC's functions that choose between kinds of atomic instructions ask glibc.
  const inline = architecture === 'arm64' ? ['-mno-outline-atomics'] : [];
  const flags = ['-no-pie', ...inline, `-specs=${specs}`, '-nostdinc'];
  include.unshift(`$(${gcc} -print-file-name=include)`);
  const compiler = join(work, 'musl-gcc');
  const command = [gcc, ...flags, ...include.map((path) => `-isystem ${path}`), '"$@"'];
  await writeFile(compiler, `#!/bin/sh\nexec ${command.join(' ')}\n`);
  await chmod(compiler, 0o755);
  return compiler;
}

/** @param {string} compiler @param {string} work @returns {Promise<string>} the program */
async function compileBusybox(compiler, work) {
  const env = await configureApt(join(work, 'sources'), SUITE, { withSources: true });
  await run('apt-get', ['-q', 'update'], { env });
  await run('apt-get', ['-q', 'source', '--download-only', 'busybox'], { env, cwd: work });
  const archive = (await readdir(work)).find((name) => /^busybox_.*\.orig\.tar/.test(name)) ?? '';
  const folder = join(work, 'busybox');
  await mkdir(folder);
  await run('tar', ['-xf', archive, '--strip-components=1', '-C', folder], { cwd: work });
  await run('make', ['defconfig'], { cwd: folder });
  // The first is assembly of x86, chosen by the processor that compiles. The second needs older headers.
  const left = 's/^\\(CONFIG_SHA.*_HWACCEL\\|CONFIG_TC\\)=y/# \\1 is not set/';
  await run('sed', ['-i', left, '.config'], { cwd: folder });
  await run('make', ['-j2', `CC=${compiler}`, 'SKIP_STRIP=y', 'busybox'], { cwd: folder });
  return join(folder, 'busybox');
}

/** @param {keyof typeof GNU} architecture @param {string} root @param {string} work */
async function addMuslPrograms(architecture, root, work) {
  const compiler = await muslCompiler(architecture, work);
  await mkdir(join(root, 'bin'));
  await symlink('usr/lib', join(root, 'lib'));
  await cp(await compileBusybox(compiler, work), join(root, 'bin/busybox'));
  for (const name of ['sh', 'env', 'test', '[']) await symlink('busybox', join(root, 'bin', name));
  const threads = [join(PROGRAMS, 'threads.c'), '-O1', '-o', join(root, 'bin/threads')];
  await run(compiler, threads);
  await rm(join(root, 'usr/share'), { recursive: true, force: true });
}

/** @param {keyof typeof GNU} architecture */
function imagesOf(architecture) {
  return {
    [`debian-${architecture}`]: {
      architecture,
      packages: ['bzip2', 'findutils', 'grep', 'gzip', 'mawk', 'perl', 'python3', 'sqlite3'],
      complete: (/** @type {string} */ root, /** @type {string} */ work) =>
        addGoProgram(architecture, root, work),
    },
    [`musl-${architecture}`]: {
      architecture,
      base: [],
      packages: ['musl'],
      path: ['/bin'],
      complete: (/** @type {string} */ root, /** @type {string} */ work) =>
        addMuslPrograms(architecture, root, work),
    },
  };
}

await runMain(async () => {
  await ensurePackages(['gcc-aarch64-linux-gnu', 'gcc-x86-64-linux-gnu', 'bzip2', 'dpkg-dev', 'umoci']);
  await makeImages(FOREIGN_IMAGES, { ...imagesOf('arm64'), ...imagesOf('amd64') });
});
