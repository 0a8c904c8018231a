import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NetworkOptions, NetworkStatus } from '../network/network.ts';
import { digestOf, FakeInternet, SIZE } from '../network/testing/fake-internet.ts';
import { AWAIT_IPV6 } from './testing/await-ipv6.ts';
import { DEMO_IMAGES, pull, run, type TestOptions } from './testing/run.ts';

const TIMEOUT = process.env.LONG_TESTS ? 1_200_000 : 240_000;
/** Parallel transfers, and whether they carry the long file. */
const [DOWNLOADS, UPLOADS, IS_LONG] = process.env.LONG_TESTS ? [40, 20, true] : [10, 10, false];
let internet: FakeInternet;
let network: NetworkOptions;

beforeAll(async () => {
  internet = await FakeInternet.start();
  network = internet.network;
});
afterAll(() => internet.stop());

function shell(script: string, options: Partial<TestOptions> = { network }) {
  const image = pull(`${DEMO_IMAGES}:busybox`);
  return run({ image, ...options, entrypoint: ['/bin/sh', '-c', script] });
}

describe('the network of a container', { timeout: TIMEOUT }, () => {
  test('has its address, gateway, name server and host name when the program starts', async () => {
    const { stdout, stderr } = await shell(
      `${AWAIT_IPV6}; ip -4 addr show eth0; ip route; cat /etc/resolv.conf; grep linuxrun /etc/hosts; cat /proc/net/if_inet6; ` +
        'ping -c 1 10.0.2.2; ping -c 1 linuxrun; ping -6 -c 1 ::1',
    );
    expect(stderr).toBe('');
    expect(stdout).toContain('inet 10.0.2.15/24');
    expect(stdout).toContain('mtu 65520');
    expect(stdout).toContain('default via 10.0.2.2 dev eth0');
    expect(stdout).toContain('nameserver 10.0.2.3\n10.0.2.15\tlinuxrun\n');
    // IPv6 on the loopback interface, and of the card: its own, and one of the router's prefix.
    expect(stdout).toMatch(/^fd4c696e75780000505400fffe123456 02 40 00 00 +eth0$/m);
    expect(stdout.match(/^[0-9a-f]{32} .*$/gm)).toHaveLength(3);
    expect(stdout.match(/1 packets received/g)).toHaveLength(3);
  });

  test(`downloads and uploads ${SIZE} MiB, every byte right`, async () => {
    const digest = digestOf(internet.content);
    const { stdout } = await shell(
      `wget -q -O /tmp/file http://good.example:${internet.web}/; sha256sum < /tmp/file; nc ${internet.address} ${internet.uploads} < /tmp/file`,
    );
    expect(stdout).toBe(`${digest}  -\n${digest}\n`);
  });

  test('does the same by IPv6', async () => {
    const { stdout } = await shell(
      `${AWAIT_IPV6}; ip -6 route; wget -q -O /tmp/file http://six.example:${internet.web}/part; sha256sum < /tmp/file; ` +
        `nc ${internet.address6} ${internet.uploads} < /tmp/file; ping -c 1 fd4c:696e:7578::2; nslookup six.example fd4c:696e:7578::3; ` +
        `for to in '${internet.address6} ${internet.closed}' 'fd4c:696e:7578::2 80' 'fd4c:696e:7578::9 80' 'fd00::1 80' '::ffff:10.0.0.1 80'; ` +
        'do nc -w 9 $to < /dev/null 2>&1; done',
    );
    const digest = digestOf(internet.part);
    expect(stdout).toContain('default via fe80::2 dev eth0');
    expect(stdout).toContain(`${digest}  -\n${digest}\n`);
    expect(stdout).toContain('1 packets received');
    expect(stdout).toContain(`Address: ${internet.address6}`);
    expect(stdout.match(/Connection refused/g)).toHaveLength(5);
  });

  test(`downloads in ${DOWNLOADS} connections at once, and uploads in ${UPLOADS}`, async () => {
    const numbers = (count: number) => Array.from({ length: count }, (_, index) => index).join(' ');
    const { address, web, uploads, content, part } = internet;
    const url = `http://${address}:${web}/${IS_LONG ? '' : 'part'}`;
    const { stdout } = await shell(
      `wget -q -O /tmp/file ${url}; ` +
        `for i in ${numbers(DOWNLOADS)}; do wget -q -O - ${url} | sha256sum & done; ` +
        `for i in ${numbers(UPLOADS)}; do nc ${address} ${uploads} < /tmp/file & done; wait`,
    );
    const digest = digestOf(IS_LONG ? content : part);
    expect(stdout.trim().split('\n').sort()).toEqual([
      ...Array<string>(UPLOADS).fill(digest),
      ...Array<string>(DOWNLOADS).fill(`${digest}  -`),
    ]);
  });

  test('works with several processors', async () => {
    const { stdout } = await shell(
      `wget -q -O - http://${internet.address}:${internet.web}/part | sha256sum`,
      {
        network,
        cpus: 2,
      },
    );
    expect(stdout).toBe(`${digestOf(internet.part)}  -\n`);
  });

  test('carries bytes both ways in a connection', async () => {
    const { stdout } = await shell(`(echo one; sleep 1; echo two) | nc ${internet.address} ${internet.echo}`);
    expect(stdout).toBe('one\ntwo\n');
  });

  test('resolves names, but not to private addresses', async () => {
    const { stdout } = await shell('nslookup good.example; nslookup inside.example');
    expect(stdout).toContain(`Address: ${internet.address}`);
    expect(stdout).toContain("can't find inside.example: NXDOMAIN");
    expect(stdout).not.toContain('10.0.0.1');
  });

  test('refuses at once: where nobody listens, and what is private', async () => {
    const targets = [
      `${internet.address} ${internet.closed}`,
      '10.0.2.2 80',
      '192.168.0.1 80',
      '169.254.169.254 80',
      '172.17.0.1 22',
    ];
    const uptime = "cut -d ' ' -f 1 /proc/uptime";
    const attempts = targets.map((target) => `nc -w 60 ${target} < /dev/null 2>&1`);
    const statuses: NetworkStatus[] = [];
    const onNetwork = (status: NetworkStatus) => void statuses.push(status);
    // The status is a second old at most.
    const { stdout } = await shell([uptime, ...attempts, uptime, 'sleep 2'].join('; '), {
      network,
      onNetwork,
    });
    expect(stdout.match(/Connection refused/g)).toHaveLength(targets.length);
    const [begin = 0, end = 0] = stdout.match(/^\d+\.\d+$/gm)?.map(Number) ?? [];
    // A guest that hears nothing asks for 60 s.
    expect(end - begin).toBeLessThan(30);
    const refusal = { destination: '172.17.0.1:22', reason: 'address' };
    expect(statuses.at(-1)).toMatchObject({ state: 'up', refused: 4, refusal, resent: 0 });
  });

  test('a hundred connections, one after the other, leave nothing behind', async () => {
    const { stdout } = await shell(
      `i=0; while [ $i -lt 100 ]; do echo $i | nc ${internet.address} ${internet.echo}; i=$((i + 1)); done | tail -n 1; ` +
        `nc -w 1 ${internet.address} ${internet.closed} 2>&1`,
    );
    expect(stdout).toMatch(/^99\n.*refused/);
  });

  test('without one there is only the loopback interface, and names fail at once', async () => {
    const { stdout } = await shell('ls /sys/class/net; cat /etc/resolv.conf; ping -c 1 linuxrun', {
      network: undefined,
    });
    expect(stdout).toMatch(/^lo\nPING linuxrun \(127\.0\.1\.1\)/);
  });
});
