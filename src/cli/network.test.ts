import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle, commandOf } from '../../scripts/setup/bundle.mjs';
import { ensure } from '../../scripts/setup/step.mjs';
import { AWAIT_IPV6 } from '../container/testing/await-ipv6.ts';
import { PUBLIC } from './program.ts';
import { installFrom, makeMirror } from './testing/debian-mirror.ts';

const PROJECT = join(import.meta.dirname, '../..');
/** Real images, which only some machines have. */
const IMAGES = join(PROJECT, '../shared/images');
const PRIVATE = ['10.1.2.3', '127.0.0.1', '169.254.169.254', '172.16.9.9', '192.168.7.7', '100.64.1.1'];
const PRIVATE6 = ['fd00::3', 'fd00:ec2::254', '2001:db8::1', '64:ff9b::a01:203', '2002:a01:203::1'];
const OWN = '81.2.69.142';
const GOOGLE = '142.250.80.46';
const OWN6 = '2600:1f18::7';
const SERVER6 = '2606:2800:220:1::1';
const TIMEOUT = 120_000;

/** Namespaces need root, or a system that lets users make them. */
const canIsolate = spawnSync('unshare', ['--net', '--mount', 'ip', 'link']).status === 0;
if (!canIsolate)
  console.warn('No network namespaces can be made here: the tests of run.sh’s network are skipped.');

const hasIpv6 = existsSync('/proc/net/if_inet6');

const folder = mkdtempSync(join(tmpdir(), 'linuxrun-network-'));
let server: ChildProcess;
let host: ChildProcess;
/** What reached the server. */
const seen: string[] = [];

const inside = (namespace: ChildProcess, ...command: string[]) =>
  execFileSync('nsenter', ['--net', '-t', String(namespace.pid), ...command]);

/** The host's only link leads to the server, also for private addresses. */
beforeAll(async () => {
  if (!canIsolate) return;
  await ensure(bundle);
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 93.184.216.34\n');
  const script = join(import.meta.dirname, 'testing/internet.mjs');
  makeMirror(join(folder, 'debian'));
  providePing();
  server = spawn('unshare', ['--net', process.execPath, script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const mount = `mount --bind ${join(folder, 'resolv.conf')} /etc/resolv.conf && echo up && exec sleep infinity`;
  host = spawn('unshare', ['--net', '--mount', 'sh', '-c', mount], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: server.stdout as NodeJS.ReadableStream });
  await Promise.all([once(lines, 'line'), once(host.stdout as NodeJS.ReadableStream, 'data')]);
  lines.on('line', (line) => seen.push(line));
  const [ip, serverPid] = ['ip', String(server.pid)] as const;
  inside(host, ip, 'link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb', 'netns', serverPid);
  for (const [namespace, link, addresses] of [
    [host, 'va', ['10.77.0.1', OWN]],
    [server, 'vb', ['93.184.216.34', GOOGLE, ...PRIVATE.filter((address) => address !== '127.0.0.1')]],
  ] as const) {
    inside(namespace, ip, 'link', 'set', 'lo', 'up');
    inside(namespace, ip, 'link', 'set', link, 'up');
    for (const address of addresses) inside(namespace, ip, 'address', 'add', `${address}/32`, 'dev', link);
    inside(namespace, ip, 'route', 'add', 'default', 'dev', link);
    if (!hasIpv6) continue;
    const addresses6 = namespace === host ? [OWN6] : [SERVER6, ...PRIVATE6];
    for (const address of addresses6)
      inside(namespace, ip, 'address', 'add', `${address}/128`, 'dev', link, 'nodad');
    inside(namespace, ip, '-6', 'route', 'add', 'default', 'dev', link);
  }
});
afterAll(() => {
  server?.kill();
  host?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** The host's ping, or else BusyBox's. */
function providePing(): void {
  if (spawnSync('ping', ['-V']).error === undefined) return;
  const busybox = join(PROJECT, 'dist/busybox');
  writeFileSync(join(folder, 'ping'), `#!/bin/sh\nexec qemu-riscv64 ${busybox} ping "$@"\n`, { mode: 0o755 });
}

/** The IPv4 packets that the host has sent so far, also to itself and to addresses that nobody has. */
function packetsOfHost(): number {
  const [, values = ''] = inside(host, 'grep', '^Ip:', '/proc/net/snmp').toString().trim().split('\n');
  // OutRequests is the tenth.
  return Number(values.split(' ')[10]);
}

/** @returns a program for the guest */
function compile(name: string): Buffer {
  const output = join(folder, name);
  const flags = ['-O2', '-static', '-Wall', '-Wextra', '-Werror', '-Wno-address-of-packed-member'];
  const source = join(import.meta.dirname, `testing/${name}.c`);
  execFileSync('riscv64-linux-gnu-gcc', [...flags, source, '-o', output]);
  return readFileSync(output);
}

/** Runs a script in a container of linuxrun, on the host. */
async function run(
  script: string,
  variables: Record<string, string> = {},
  input: Buffer = Buffer.alloc(0),
): Promise<string> {
  const env = {
    ...process.env,
    XDG_CACHE_HOME: folder,
    PATH: `${process.env.PATH}:${folder}`,
    LINUXRUN_IMAGE: `oci://${PUBLIC}images:busybox`,
    LINUXRUN_ENTRYPOINT: 'sh',
    LINUXRUN_ARGS: `-c '${script}'`,
    ...variables,
  };
  const command = [process.execPath, commandOf('run')];
  const options = { env, stdio: ['pipe', 'pipe', 'inherit'] as ['pipe', 'pipe', 'inherit'] };
  const child = spawn(
    'nsenter',
    ['--net', '--mount', `--wd=${PROJECT}`, '-t', String(host.pid), ...command],
    options,
  );
  child.stdin.end(input);
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  await once(child, 'close');
  return output;
}

describe.runIf(canIsolate)('run.sh', { timeout: TIMEOUT }, () => {
  test('reaches the internet by name, without any option', async () => {
    expect(await run('wget -q -O - http://example.com/')).toBe('hey\n');
    expect(seen).toEqual(['tcp 93.184.216.34']);
  });

  test.runIf(hasIpv6)('reaches the internet by IPv6', async () => {
    seen.length = 0;
    const output = await run(
      `${AWAIT_IPV6}; wget -q -O - http://six.example/; wget -q -O - "http://[${SERVER6}]/"; ` +
        `for a in ${PRIVATE6.join(' ')} ${OWN6} ::ffff:10.1.2.3 fd4c:696e:7578::2; do ` +
        'nc -w 9 $a 80 < /dev/null 2>&1; echo x | nc -u -w 1 $a 9 2>&1; done; nslookup private.six.example',
    );
    expect(output).toMatch(/^hey\nhey\n/);
    expect(output.match(/Connection refused/g)?.length).toBeGreaterThanOrEqual(PRIVATE6.length + 3);
    expect(output).not.toContain('fd00::3');
    expect(seen).toEqual([`tcp ${SERVER6}`, `tcp ${SERVER6}`]);
    // The addresses are there: the host itself reaches them.
    inside(host, 'bash', '-c', 'exec 3<> /dev/tcp/fd00::3/80');
    await expect.poll(() => seen.at(-1)).toBe('tcp fd00::3');
  });

  test('reaches neither private addresses nor the host, by address or by name', async () => {
    seen.length = 0;
    const targets = [...PRIVATE.filter((address) => address !== '127.0.0.1'), OWN, '10.77.0.1', '10.0.2.2'];
    const output = await run(
      `for a in ${targets.join(' ')}; do nc -w 9 $a 80 < /dev/null 2>&1; echo x | nc -u -w 1 $a 9 2>&1; done; ` +
        'nslookup private.example; nslookup missing.example',
    );
    expect(output.match(/Connection refused/g)?.length).toBeGreaterThanOrEqual(targets.length);
    expect(output.match(/NXDOMAIN/g)?.length).toBeGreaterThanOrEqual(2);
    expect(seen).toEqual([]);
    // The addresses are there: the host itself reaches them.
    inside(host, 'bash', '-c', 'exec 3<> /dev/tcp/10.1.2.3/80');
    await expect.poll(() => seen).toEqual(['tcp 10.1.2.3']);
  });

  test('lets no packet out that its root makes for private addresses, or malformed', async () => {
    const refused = [
      ...['0.0.0.0', '10.0.0.1', '10.0.2.2', '10.255.255.255', '100.64.1.1', '127.0.0.1', '127.8.8.8'],
      ...['168.63.129.16', '169.254.169.254', '172.16.9.9', '172.31.255.255', '192.0.0.1', '192.0.2.1'],
      ...['192.88.99.1', '192.168.7.7', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1'],
      ...['239.255.255.250', '240.0.0.1', '255.255.255.255', '10.77.0.1', OWN],
    ];
    seen.length = 0;
    const before = packetsOfHost();
    const script = 'cat > /raw && chmod +x /raw && /raw ';
    const output = await run(script + refused.join(' '), {}, compile('raw-frames'));
    const answers = [...output.matchAll(/^(\S+) (\w+) (reset|reply|ICMP \d+|none) (\d+)$/gm)];
    expect(answers).toHaveLength(3 * refused.length);
    const answer = (address: string, protocol: string) => {
      // Errors about packets to several receivers are forbidden (RFC 1122, section 3.2.2).
      const isMulticast = Number(address.split('.')[0]) >= 224;
      if (protocol === 'TCP') return 'reset';
      if (isMulticast) return 'none';
      if (address === '10.0.2.2') return protocol === 'ICMP' ? 'reply' : 'ICMP 3';
      return 'ICMP 13';
    };
    expect(answers.map(([, address, protocol, its]) => `${address} ${protocol} ${its}`)).toEqual(
      refused.flatMap((to) =>
        ['TCP', 'UDP', 'ICMP'].map((protocol) => `${to} ${protocol} ${answer(to, protocol)}`),
      ),
    );
    const times = answers.filter(([, , , its]) => its !== 'none').map(([, , , , time]) => Number(time));
    expect(times.sort((a, b) => a - b)[times.length >> 1]).toBeLessThan(100_000);
    expect(Number(/^sent (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(3000);
    expect([seen, packetsOfHost() - before]).toEqual([[], 0]);
    // They would be counted.
    inside(host, 'bash', '-c', 'exec 3<> /dev/tcp/93.184.216.34/80');
    expect(packetsOfHost() - before).toBeGreaterThan(0);
  });

  test('pings a host of the internet by its name, and learns that another one is not there', async () => {
    const ping = { LINUXRUN_ENTRYPOINT: '/bin/ping', LINUXRUN_ARGS: '-c 3 -i 0.2 google.com' };
    const output = await run('', ping);
    expect(output).toContain(`PING google.com (${GOOGLE})`);
    expect(output).toContain('3 packets transmitted, 3 packets received, 0% packet loss');
    const silent = await run(
      'nc -w 60 142.250.80.47 80 < /dev/null 2>&1 & ping -c 1 -W 1 142.250.80.47; ping -c 1 -W 1 10.0.0.1; wait',
    );
    expect(silent.match(/ 0 packets received, 100% packet loss/g)).toHaveLength(2);
    expect(silent).toContain('No route to host');
  });

  test.skipIf(!existsSync(join(IMAGES, 'index.json')))('installs a package with apt-get', async () => {
    const script = installFrom('http://example.com/debian');
    const output = await run(script, { LINUXRUN_IMAGE: `oci://${IMAGES}:debian` });
    expect(output).toContain('Setting up greeting (1.0)');
    expect(output).toMatch(/^Hello from riscv64$/m);
    expect(output).toContain('Status: install ok installed');
  });

  test('has no network with LINUXRUN_NETWORK=none', async () => {
    const output = await run('ls /sys/class/net; wget -T 3 -O - http://93.184.216.34/ 2>&1', {
      LINUXRUN_NETWORK: 'none',
    });
    expect(output).toMatch(/^lo\n.*Network is unreachable/s);
  });
});
