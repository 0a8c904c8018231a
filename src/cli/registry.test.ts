/** What the command line says and does about registries. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeRegistry } from '../oci/testing/fake-registry.ts';
import { makeImage, makeLayer, makeTar } from '../oci/testing/image.ts';
import { PROXY_VARIABLES } from './advice.ts';
import { showLoadingImage } from './image.ts';

const image = makeImage([makeLayer(makeTar([{ path: 'a' }]))]);

let folder: string;
let registry: FakeRegistry;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-registry-'));
  vi.stubEnv('DOCKER_CONFIG', folder);
  for (const name of PROXY_VARIABLES) vi.stubEnv(name, '');
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  registry = await FakeRegistry.start();
  registry.add('team/app:1', image);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await registry.stop();
  rmSync(folder, { recursive: true });
});

const load = (reference: string, credentials?: { username: string; password: string }) =>
  showLoadingImage({
    reference,
    store: join(folder, 'store'),
    assets: folder,
    credentials,
    policy: 'missing',
    showsProgress: true,
    signal: AbortSignal.timeout(50_000),
  });
const failure = (loading: Promise<unknown>): Promise<Error> =>
  loading.then(
    () => Promise.reject(new Error('it has loaded')),
    (error) => error,
  );

function login(host: string, account: string) {
  const auths = { [host]: { auth: Buffer.from(account).toString('base64') } };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths }));
}
const authorizations = () => registry.requests.map(({ authorization }) => authorization).filter(Boolean);

describe('the account of docker login', () => {
  test('is used when the registry asks for one', async () => {
    registry.auth = { token: 't', credentials: 'me:secret' };
    login(registry.host, 'me:secret');
    await load(`${registry.host}/team/app:1`);
    expect(authorizations()).toContain(`Basic ${Buffer.from('me:secret').toString('base64')}`);
  });

  test('never goes to another registry', async () => {
    registry.auth = { token: 't', credentials: 'me:secret' };
    login('registry.example', 'me:secret');
    const error = await failure(load(`${registry.host}/team/app:1`));
    expect(error.message).toMatch(/does not exist, or .* wants \(other\) credentials/);
    expect(authorizations()).toEqual([]);
  });

  test('gives way to the variables', async () => {
    registry.auth = { token: 't', credentials: 'other:one' };
    login(registry.host, 'me:secret');
    await load(`${registry.host}/team/app:1`, { username: 'other', password: 'one' });
  });

  test('is not looked for when nobody asks', async () => {
    writeFileSync(join(folder, 'config.json'), 'no JSON');
    await load(`${registry.host}/team/app:1`);
  });
});

describe('a refusal', () => {
  const VARIABLES = 'LINUXRUN_REGISTRY_USER and LINUXRUN_REGISTRY_PASSWORD';

  beforeEach(() => {
    registry.auth = { token: 't', credentials: 'me:secret' };
  });

  test('names the variables to sign in with', async () => {
    const { message } = await failure(load(`${registry.host}/team/app:1`));
    expect(message).toMatch(
      new RegExp(`; to sign in, set ${VARIABLES}, or run docker login ${registry.host}$`),
    );
  });

  test('because of too many requests names them too', async () => {
    registry.intercept = (_, response) => !!response.writeHead(429, { 'Retry-After': '3600' }).end();
    const { message } = await failure(load(`${registry.host}/team/app:1`));
    expect(message).toMatch(
      new RegExp(`^too many requests: .*; to sign in, set ${VARIABLES}, or run docker`),
    );
  });

  test('says what is wrong with the account of docker login', async () => {
    writeFileSync(join(folder, 'config.json'), '[]');
    const { message } = await failure(load(`${registry.host}/team/app:1`));
    expect(message).toMatch(/docker login .* \(.*config\.json: is not a JSON object\)$/);
  });

  test.each(['by a file', 'by variables'])('says whose account it refuses: given %s', async (how) => {
    if (how === 'by a file') login(registry.host, 'me:wrong');
    const given = how === 'by a file' ? undefined : { username: 'me', password: 'wrong' };
    const { message } = await failure(load(`${registry.host}/team/app:1`, given));
    expect(message).toMatch(/does not accept this user name and password; the account is that of /);
    expect(message.endsWith(given ? VARIABLES : `${VARIABLES} name another`)).toBe(true);
  });
});

describe('a registry that cannot be reached', () => {
  test('is named, with the reason, and with what is stored', async () => {
    const none = await failure(load('127.0.0.1:9/team/app:1'));
    expect(none.message).toBe(
      'cannot reach 127.0.0.1:9: the connection is refused (ECONNREFUSED); no image of a registry is stored yet',
    );
    registry.add('team/far:1', makeImage([], { platform: { os: 'linux', architecture: 'arm64' } }));
    await load(`${registry.host}/team/app:1`);
    await load(`${registry.host}/team/far:1`);
    const { message } = await failure(load('127.0.0.1:9/team/app:1'));
    const [, listed = ''] = message.split('(ECONNREFUSED); stored and ready to run: ');
    const both = ['app:1', 'far:1 for linux/arm64'].map((name) => `${registry.host}/team/${name}`);
    expect(listed.split(', ').sort()).toEqual(both);
  });

  test('may be one that only a proxy reaches', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://proxy.example:3128');
    const { message } = await failure(load('127.0.0.1:9/team/app:1'));
    expect(message).toMatch(/; linuxrun connects directly, not through the proxy of HTTPS_PROXY; /);
  });
});
