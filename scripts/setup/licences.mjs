/** Collects the licences of everything in the site. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inProject } from './places.mjs';
import { escapeHtml, writePage } from './plain-page.mjs';
import { QEMU_COPYRIGHT } from './qemu-user.mjs';

/** @typedef {{ name: string, version: string, licence: string, text: string }} Work */

const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.|$)/i;
/** A package whose library becomes a part of the core, although only the set-up uses it. */
const COMPILED_IN = ['assemblyscript'];
const KERNEL_COPYRIGHT = '/usr/share/doc/linux-source-6.12/copyright';
const BUSYBOX_COPYRIGHT = 'dist/busybox-copyright';
const GPL_2 = '/usr/share/common-licenses/GPL-2';
const LGPL_2_1 = '/usr/share/common-licenses/LGPL-2.1';

/** For packages that only name their licence. @type {Readonly<Record<string, string>>} */
const TEXTS = {
  MIT: `Copyright (c) AUTHOR

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation
the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and
to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of
the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER
DEALINGS IN THE SOFTWARE.`,
};

/** @param {string} path */
const readText = (path) => readFile(path, 'utf8').catch(() => '');

/** @param {string} name @returns {Promise<Work & { dependencies: string[] }>} */
async function readPackage(name) {
  const folder = inProject(join('node_modules', name));
  const {
    version,
    license,
    author = '',
    dependencies = {},
  } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const files = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const text = texts.length > 0 ? texts.join('\n') : (TEXTS[license] ?? '').replace('AUTHOR', author);
  return { name, version, licence: license, text, dependencies: Object.keys(dependencies) };
}

/** @returns {Promise<Work[]>} the npm packages in the page and its server, with those that they need */
export async function packagesInUse() {
  const { dependencies } = JSON.parse(await readFile(inProject('package.json'), 'utf8'));
  /** @type {Map<string, Work>} */
  const found = new Map();
  const names = Object.keys(dependencies);
  for (const name of names) {
    if (found.has(name)) continue;
    const { dependencies, ...work } = await readPackage(name);
    found.set(name, work);
    names.push(...dependencies);
  }
  for (const name of COMPILED_IN) {
    const { dependencies: _, ...work } = await readPackage(name);
    found.set(name, work);
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @returns {Promise<Work[]>} the programs of the guest, which come from Debian */
async function guestPrograms() {
  const gpl = await readText(GPL_2);
  const [kernel, busybox, qemu] = await Promise.all([
    readText(KERNEL_COPYRIGHT),
    readText(inProject(BUSYBOX_COPYRIGHT)),
    readText(inProject(QEMU_COPYRIGHT)),
  ]);
  return [
    {
      ...{ name: 'Linux', version: '6.12', licence: 'GPL-2.0-only WITH Linux-syscall-note' },
      text: `Built from the source of Debian's package linux-source-6.12, with the configuration and the patches in\nkernel/ of LinuxRun's source.\n\n${kernel}\n${gpl}`,
    },
    {
      ...{ name: 'BusyBox', version: '', licence: 'GPL-2.0-only' },
      text: `The program of Debian's package busybox-static, whose source package is busybox.\n\n${busybox}\n${gpl}`,
    },
    {
      ...{ name: 'QEMU', version: '', licence: 'GPL-2.0-only' },
      text: `The programs for arm64 and amd64 of Debian's package qemu-user, whose source package is qemu, with GLib, zlib,\nCapstone and sysprof, which are linked into them.\n\n${qemu}\n${gpl}`,
    },
    {
      ...{ name: 'GNU C Library', version: '', licence: 'LGPL-2.1-or-later' },
      text: `Linked into BusyBox and QEMU. Debian's source package is glibc.\n\n${await readText(LGPL_2_1)}`,
    },
  ];
}

/** @param {Work} work */
const writeWork = ({ name, version, licence, text }) =>
  `<details><summary>${escapeHtml(`${name} ${version}`.trim())}: ${escapeHtml(licence)}</summary>
<pre>${escapeHtml(text)}</pre></details>`;

/** @returns {Promise<string>} the licences of everything in the npm package but LinuxRun's own */
export async function licenceText() {
  const works = [...(await guestPrograms()), ...(await packagesInUse())];
  const line = '='.repeat(80);
  return works
    .map(
      ({ name, version, licence, text }) =>
        `${line}\n${`${name} ${version}`.trim()}: ${licence}\n${line}\n\n${text}\n`,
    )
    .join('\n');
}

/** @param {string} style */
export async function writeLicences(style) {
  const own = {
    name: 'LinuxRun',
    version: '',
    licence: 'Apache-2.0',
    text: await readText(inProject('LICENSE')),
  };
  const body = `<nav><a href="./">LinuxRun</a></nav>
<main>
<h1>Licences</h1>
<h2>LinuxRun</h2>
${writeWork(own)}
<h2>In the machine</h2>
${(await guestPrograms()).map(writeWork).join('\n')}
<h2>In the page and its server</h2>
${(await packagesInUse()).map(writeWork).join('\n')}
</main>`;
  return writePage({ title: 'Licences', style, body, root: './' });
}
