import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CONTROL = `Package: greeting
Version: 1.0
Architecture: riscv64
Maintainer: LinuxRun <linuxrun@example.com>
Description: says hello
`;
const PROGRAM = '#include <stdio.h>\nint main(void) { return puts("Hello from riscv64") < 0; }\n';
const DEB = 'greeting_1.0_riscv64.deb';

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Makes a flat Debian repository of one package, `greeting`, with a compiled program. */
export function makeMirror(folder: string): void {
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  writeFileSync(join(tree, 'DEBIAN/control'), CONTROL);
  const compile = ['-x', 'c', '-static', '-s', '-', '-o', join(tree, 'usr/bin/greeting')];
  execFileSync('riscv64-linux-gnu-gcc', compile, { input: PROGRAM });
  const deb = join(folder, DEB);
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, deb], { stdio: 'ignore' });
  rmSync(tree, { recursive: true });

  const facts = `Filename: ./${DEB}\nSize: ${statSync(deb).size}\nSHA256: ${sha256(deb)}\n`;
  const packages = join(folder, 'Packages');
  writeFileSync(packages, CONTROL + facts);
  const release = `Date: ${new Date().toUTCString()}\nSHA256:\n ${sha256(packages)} ${statSync(packages).size} Packages\n`;
  writeFileSync(join(folder, 'Release'), release);
}

/** Returns the commands that install the mirror's package in Debian, and run its program. */
export const installFrom = (mirror: string) =>
  `rm -rf /etc/apt/sources.list*; echo deb [trusted=yes] ${mirror} ./ > /etc/apt/sources.list; ` +
  'export DEBIAN_FRONTEND=noninteractive; ' +
  'apt-get update && apt-get install -y greeting && greeting && dpkg -s greeting';
