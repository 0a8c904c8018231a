/** Tests real images, which only some machines have, in ../shared/images beside the project. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pull, run, type TestOptions } from './testing/run.ts';

const IMAGES = join(import.meta.dirname, '../../../shared/images');
const TIMEOUT = 300_000;

/** Runs a shell script in an image. */
async function shell(tag: string, script: string, options: Partial<TestOptions> = {}) {
  const image = pull(`oci://${IMAGES}:${tag}`);
  const result = await run({ image, entrypoint: ['sh', '-c', script], ...options });
  expect(result.messages).toBe('');
  return result;
}

describe.skipIf(!existsSync(join(IMAGES, 'index.json')))(
  'images of ../shared/images',
  { timeout: TIMEOUT },
  () => {
    test('hello-world', async () => {
      const { status, stdout } = await run({ image: pull(`oci://${IMAGES}:hello-world`) });
      expect(status).toBe(0);
      expect(stdout).toMatch(/^\nHello from Docker!\n/);
    });

    test.each(['busybox', 'busybox-zstd'])('%s', async (tag) => {
      const { status, stdout } = await shell(tag, 'echo $((6 * 7)); busybox | head -n 1; exit 5');
      expect(status).toBe(5);
      expect(stdout).toMatch(/^42\nBusyBox v/);
    });

    test('debian', async () => {
      const script = 'dpkg -l | grep -c ^ii; apt-cache policy >/dev/null && echo apt; perl -e "print 6 * 7"';
      const { status, stdout } = await shell('debian', script);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^\d{2,}\napt\n42$/);
    });

    test('python', async () => {
      const program = `
import json, sqlite3, ssl, subprocess, threading
print(json.dumps({"a": [1, 2.5, None]}), ssl.OPENSSL_VERSION.split()[0])
database = sqlite3.connect("/tmp/database")
database.execute("create table numbers(n)")
database.executemany("insert into numbers values(?)", [(n,) for n in range(1000)])
database.commit()
print(database.execute("select sum(n) from numbers").fetchone()[0])
done = subprocess.run(["sh", "-c", "echo child; exit 3"], capture_output=True)
print(done.stdout, done.returncode)
results = []
threads = [threading.Thread(target=lambda n=n: results.append(n)) for n in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(results))
`;
      const image = pull(`oci://${IMAGES}:python`);
      const { status, stdout, stderr } = await run({ image, entrypoint: ['python3', '-c', program] });
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout.split('\n')).toEqual([
        '{"a": [1, 2.5, null]} OpenSSL',
        '499500',
        "b'child\\n' 3",
        '190',
        '',
      ]);
    });

    test('nginx answers requests', async () => {
      const request =
        'my $s = IO::Socket::INET->new(q(127.0.0.1:80)) or exit 1; print $s qq(GET / HTTP/1.0\\r\\n\\r\\n); print <$s>';
      const { status, stdout } = await shell(
        'nginx',
        `nginx -g "daemon off;" & until perl -MIO::Socket::INET -e '${request}'; do sleep 0.2; done; kill -QUIT $!; wait`,
      );
      expect(status).toBe(0);
      expect(stdout).toContain('HTTP/1.1 200 OK\r\nServer: nginx');
    });

    test('redis takes 1000 SET and GET', async () => {
      const { status, stdout } = await shell(
        'redis',
        'redis-server > /dev/null & until redis-cli ping; do sleep 0.2; done 2> /dev/null | tail -n 1; ' +
          'redis-benchmark -t set,get -n 1000 -q > /dev/null && redis-cli dbsize; ' +
          'redis-cli info commandstats | grep -o "cmdstat_[gs]et:calls=[0-9]*"; redis-cli shutdown nosave; wait',
      );
      expect(status).toBe(0);
      expect(stdout).toMatch(/PONG\n1\n/);
      expect(stdout.match(/calls=1000\b/g)).toHaveLength(2);
    });

    test('esbuild bundles', async () => {
      const image = pull(`oci://${IMAGES}:esbuild`);
      const { status, stdout } = await run(
        { image, args: ['--bundle', '--minify', '--loader=ts'] },
        'const unused = 1; export function twice(n: number) { return 2 * n }; console.log(twice(21));',
      );
      expect([status, stdout]).toEqual([0, expect.stringMatching(/^\(\(\)=>\{.*console\.log\(/)]);
    });

    // These have the layers of the ones before, and more.
    const edges = ['edge-l3', 'edge-opaque', 'edge-whiteout'];
    if (process.env.LONG_TESTS) edges.unshift('edge-base', 'edge-l2');
    test.skipIf(!hasUmoci()).each(edges)('%s is what umoci unpacks', async (tag) => {
      const { status, stdout } = await shell(tag, `cd /; ${LISTING}`);
      expect(status).toBe(0);
      expect(comparable(stdout)).toEqual(comparable(unpackedListing(tag)));
    });
  },
);

/** Lists every file with mode, owner, group, time and name, and then the contents of small files. */
const LISTING =
  'find . -xdev -print0 | sort -z | xargs -0 stat -c "%f %u %g %Y %n"; ' +
  'find . -xdev -type f -size -100k ! -path "./etc/*" -print0 | sort -z | xargs -0 sha256sum';
/** Files that the container adds. */
const OWN =
  /^\S+ \S+ \S+ \S+ \.(\/(etc|dev|proc|sys|run(\/linuxrun)?)|\/etc\/(hosts|hostname|mtab|resolv\.conf))?$/;

function hasUmoci(): boolean {
  return process.getuid?.() === 0 && spawnSync('umoci', ['--version']).status === 0;
}

function unpackedListing(tag: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'linuxrun-umoci-'));
  try {
    execFileSync('umoci', ['unpack', '--image', `${IMAGES}:${tag}`, join(folder, 'bundle')]);
    const cwd = join(folder, 'bundle/rootfs');
    return execFileSync('sh', ['-c', LISTING], { cwd, env: { ...process.env, LC_ALL: 'C' } }).toString();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function comparable(listing: string): string[] {
  return listing.split('\n').filter((line) => !OWN.test(line));
}
