import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findAccount } from './docker-config.ts';

const HOST = 'registry.example:5000';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-docker-'));
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const configFile = () => join(folder, 'config.json');
const base64 = (text: string) => Buffer.from(text).toString('base64');

function find(config: unknown, registry = HOST) {
  writeFileSync(configFile(), typeof config === 'string' ? config : JSON.stringify(config));
  return findAccount(registry, { DOCKER_CONFIG: folder });
}

/** A credential helper that notes what it is asked. */
function addHelper(name: string, script: string) {
  const path = join(folder, `docker-credential-${name}`);
  writeFileSync(path, `#!/bin/sh\necho "$1 $(cat)" > '${folder}/asked'\n${script}\n`);
  chmodSync(path, 0o755);
}
const asked = () => readFileSync(join(folder, 'asked'), 'utf8').trim();

describe('accounts in the file', () => {
  const me = { credentials: { username: 'me', password: 'pass:wörd' } };
  const auth = { auth: base64('me:pass:wörd') };

  test.each<[string, string, unknown]>([
    ['of a host', HOST, { [HOST]: auth }],
    ['of a URL', HOST, { [`https://${HOST}/v1/`]: auth }],
    ['in plain text', HOST, { [HOST]: { username: 'me', password: 'pass:wörd' } }],
    ['padded with zeros', HOST, { [HOST]: { auth: base64('me:pass:wörd\0\0') } }],
    ['of Docker Hub', 'docker.io', { 'https://index.docker.io/v1/': auth }],
    ['of Docker Hub by another name', 'docker.io', { 'docker.io': auth }],
  ])('%s', async (_, registry, auths) => {
    expect(await find({ auths }, registry)).toEqual(me);
  });

  test.each(['example', 'registry.example', 'registry.example:5001', 'a.registry.example:5000', 'docker.io'])(
    'are not for %s',
    async (other) => {
      const auths = { [HOST]: auth, 'https://evil.example/index.docker.io': auth, 'x/docker.io': auth };
      expect(await find({ auths }, other)).toEqual({ credentials: undefined });
    },
  );

  test('are none without a file', async () => {
    expect(await findAccount(HOST, { DOCKER_CONFIG: '/nowhere' })).toEqual({ credentials: undefined });
  });
});

describe('credential helpers', () => {
  const answer = (Username: string, Secret: string) => `echo '${JSON.stringify({ Username, Secret })}'`;

  test('of one registry come before the helper of all and the file', async () => {
    addHelper('one', answer('one', '1'));
    const config = {
      credHelpers: { [HOST]: 'one' },
      credsStore: 'all',
      auths: { [HOST]: { auth: base64('a:b') } },
    };
    expect(await find(config)).toEqual({ credentials: { username: 'one', password: '1' } });
    expect(asked()).toBe(`get ${HOST}`);
  });

  test('of all registries is asked for Docker Hub by its old address', async () => {
    addHelper('all', answer('all', '2'));
    expect(await find({ credsStore: 'all' }, 'docker.io')).toEqual({
      credentials: { username: 'all', password: '2' },
    });
    expect(asked()).toBe('get https://index.docker.io/v1/');
  });

  test.each([
    ['that is absent', ''],
    ['that fails', 'echo credentials not found in native keychain; exit 1'],
  ])('%s leaves the account to the file', async (_, script) => {
    if (script !== '') addHelper('all', script);
    const config = { credsStore: 'all', auths: { [HOST]: { auth: base64('a:b') } } };
    expect(await find(config)).toEqual({ credentials: { username: 'a', password: 'b' } });
  });

  test.each<[string, RegExp]>([
    ['echo secret', /docker-credential-bad has not answered with a JSON object$/],
    ['echo "[1]"', /has not answered with a JSON object$/],
    ['echo "{}"', /without a user name and secret$/],
    [answer('<token>', 'secret'), /identity token/],
  ])('that answers wrongly (%s) is a problem, without its output', async (script, problem) => {
    addHelper('bad', script);
    const account = await find({ credsStore: 'bad' });
    expect(account).toEqual({ problem: expect.stringMatching(problem) });
    expect(account.problem).not.toContain('secret ');
  });

  test('that answers without end is read no more, though its own processes write on', async () => {
    const pipes = () => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
    const before = pipes();
    addHelper('bad', 'yes secret; true');
    const account = await find({ credsStore: 'bad' });
    expect(account).toEqual({
      problem: expect.stringMatching(/docker-credential-bad answers with too much$/),
    });
    await expect.poll(pipes).toBe(before);
  });

  test.each(['../bad', '/bin/sh', '', 'a b', '-x', 'x'.repeat(100), 7, null, ['sh']])(
    'named %j starts nothing',
    async (name) => {
      const { credentials } = await find({ credsStore: name });
      expect(credentials).toBeUndefined();
    },
  );
});

describe('a hostile file', () => {
  test.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /config\.json: is not JSON$/],
    ['no object', '[]', /is not a JSON object$/],
    ['an entry of another type', { auths: { [HOST]: 'x' } }, /the entry of .* is not an object$/],
    ['no base64', { auths: { [HOST]: { auth: 7 } } }, /has no "auth" of the form base64/],
    ['no colon', { auths: { [HOST]: { auth: base64('me') } } }, /has no "auth" of the form base64/],
    ['an identity token', { auths: { [HOST]: { auth: '', identitytoken: 'x' } } }, /identity token/],
    ['too many bytes', ' '.repeat((1 << 20) + 1), /is larger than 1048576 bytes$/],
  ])('with %s', async (_, config, problem) => {
    expect(await find(config)).toEqual({ problem: expect.stringMatching(problem) });
  });

  test('with keys of objects in general has no account', async () => {
    expect(await find('{"auths":{"__proto__":{"auth":"eDp5"}}}', '__proto__.x')).toEqual({
      credentials: undefined,
    });
    expect(await find({ auths: {} }, 'constructor')).toEqual({ credentials: undefined });
  });

  test('that is a folder or a pipe is not read', async () => {
    execFileSync('mkfifo', [configFile()]);
    expect(await findAccount(HOST, { DOCKER_CONFIG: folder })).toEqual({
      problem: expect.stringMatching(/is not a file$/),
    });
    rmSync(configFile());
    execFileSync('mkdir', [configFile()]);
    expect((await findAccount(HOST, { DOCKER_CONFIG: folder })).problem).toMatch(/is not a file$/);
  });
});
