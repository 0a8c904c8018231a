/**
 * `node scripts/web-images.mjs [TAG…]` makes the images of the demos of previews: web servers that
 * people use. It takes a few minutes and 100 MB of downloads, so neither set-up nor tests do it.
 */
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeImages } from '../setup/debian-image.mjs';
import { runMain } from '../setup/failure.mjs';
import { inProject, WEB_IMAGES } from '../setup/places.mjs';
import { run } from '../setup/run.mjs';

const SITES = inProject('e2e/demos/sites');
/** Vite has programs of the platform among its packages. */
const PLATFORM = ['--os=linux', '--cpu=riscv64', '--libc=glibc'];

/** @param {string} root */
async function addNginxSite(root) {
  await cp(join(SITES, 'nginx'), join(root, 'var/www/html'), { recursive: true });
  // Debian's script does this.
  await symlink('../sites-available/default', join(root, 'etc/nginx/sites-enabled/default'));
}

/** @param {string} root */
async function addServer(root) {
  await mkdir(join(root, 'srv'), { recursive: true });
  await cp(join(SITES, 'python'), join(root, 'srv'), { recursive: true });
}

/** @param {string} root */
async function addProject(root) {
  const project = join(root, 'srv/project');
  await cp(join(SITES, 'vite'), project, { recursive: true });
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', ...PLATFORM], { cwd: project });
}

const IMAGES = {
  nginx: {
    packages: ['nginx-light'],
    users: ['www-data:x:33:33:www-data:/var/www:/bin/sh'],
    groups: ['www-data:x:33:'],
    complete: addNginxSite,
  },
  python: { packages: ['python3'], complete: addServer },
  vite: { packages: ['nodejs'], complete: addProject },
};

await runMain(() => makeImages(WEB_IMAGES, IMAGES));
