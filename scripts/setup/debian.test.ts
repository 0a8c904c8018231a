import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const places = vi.hoisted(() => ({ CACHE: '' }));
vi.mock('./places.mjs', async (original) => ({
  ...(await original<typeof import('./places.mjs')>()),
  get CACHE() {
    return places.CACHE;
  },
}));

import { ensurePackages, offerPackages } from './debian.mjs';

let written: string;

function addProgram(name: string, script: string) {
  const path = join(places.CACHE, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

beforeEach(() => {
  places.CACHE = mkdtempSync(join(tmpdir(), 'linuxrun-debian-'));
  vi.stubEnv('PATH', `${places.CACHE}:${process.env.PATH}`);
  addProgram('dpkg-query', 'exit 1');
  addProgram('sudo', 'shift; exec "$@"');
  written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(places.CACHE, { recursive: true });
});

test('installs without the output of apt-get', async () => {
  addProgram('apt-get', `echo "$@" >> '${places.CACHE}/calls'; seq 1 110`);
  await ensurePackages(['bc', 'flex']);
  expect(written).toMatch(
    /^\[set-up\] Debian packages: installing bc flex\n\[set-up\] Debian packages: ready after 0:0\d\n$/,
  );
  expect(readFileSync(join(places.CACHE, 'calls'), 'utf8')).toMatch(/ update\n.* install .* bc flex\n$/);
});

test('shows the end of the output of a failure, and where the log is', async () => {
  addProgram('apt-get', 'case "$*" in *install*) seq 1 110; echo E: broken >&2; exit 100;; esac');
  const error = await ensurePackages(['bc']).then(
    () => expect.unreachable(),
    (reason) => reason as Error,
  );
  const [, log = ''] = /^apt-get failed with exit code 100; the whole log: (.*)$/m.exec(error.message) ?? [];
  expect(error.message).toMatch(/\n109\n110\nE: broken$/);
  expect(readFileSync(log, 'utf8').split('\n')).toHaveLength(112);
});

test('goes on without packages that may be missing, and says so', async () => {
  addProgram('apt-get', 'case "$*" in *install*) echo E: broken >&2; exit 100;; esac');
  await offerPackages(['firefox-esr', 'xvfb']);
  expect(written).toMatch(
    /^\[set-up\] without firefox-esr xvfb, whose tests are skipped: apt-get failed with exit code 100/m,
  );
});
