import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodePlatform } from '../machine/platform/node.ts';
import type { NetworkStatus } from '../network/network.ts';
import { digestOf, FakeInternet } from '../network/testing/fake-internet.ts';
import { PlainRelay } from '../network/testing/plain-relay.ts';
import { resumeContainer, startContainer } from './container.ts';
import { DEMO_IMAGES, PUBLIC, pull, run, start, store } from './testing/run.ts';
import { Shell } from './testing/shell.ts';

const TIMEOUT = 240_000;

let internet: FakeInternet;
beforeAll(async () => {
  internet = await FakeInternet.start();
});
afterAll(() => internet.stop());

const image = () => pull(`${DEMO_IMAGES}:busybox`);
const shell = (script: string): string[] => ['/bin/sh', '-c', script];

describe('the network of a container', { timeout: TIMEOUT }, () => {
  test('comes and changes with the leases of a relay of somebody else, also after the start', async () => {
    let relay = await PlainRelay.start();
    const { port, url } = relay;
    await relay.stop();
    const states: string[] = [];
    const container = await start({
      image: image(),
      network: { relay: { kind: 'foreign', url } },
      onNetwork: ({ state }) => void (states.at(-1) === state || states.push(state)),
      entrypoint: shell(
        'ls /sys/class/net; until grep 10.0.2.77 /etc/hosts; do sleep 1; done; ' +
          'until grep 10.0.2.15 /etc/hosts; do sleep 1; done; ip -4 addr show eth0 | grep inet; ip route; ' +
          `cat /etc/resolv.conf; wget -q -O f http://good.example:${internet.web}/part; sha256sum < f; ` +
          `nc ${internet.address} ${internet.uploads} < f`,
      ),
    });
    let output = '';
    const ended = container.stdout.pipeTo(
      new WritableStream({
        write: (bytes) => {
          output += new TextDecoder().decode(bytes);
        },
      }),
    );
    await container.started;
    relay = await PlainRelay.start({ lease: '10.0.2.77' }, port);
    await expect.poll(() => output, { timeout: 60_000 }).toBe('lo\n10.0.2.77\tlinuxrun\n');
    await relay.stop();
    relay = await PlainRelay.start(internet.network, port);
    await ended;
    const digest = digestOf(internet.part);
    expect(
      output
        .split('\n')
        .slice(2)
        .map((line) => line.trim()),
    ).toEqual([
      '10.0.2.15\tlinuxrun',
      expect.stringMatching(/^inet 10\.0\.2\.15\/24 /),
      'default via 10.0.2.2 dev eth0',
      expect.stringMatching(/^10\.0\.2\.0\/24 .* src 10\.0\.2\.15$/),
      'nameserver 10.0.2.3',
      `${digest}  -`,
      digest,
      '',
    ]);
    expect(states.filter((state) => state !== 'connecting')).toEqual(['down', 'up', 'down', 'up']);
    await container.destroy();
    await relay.stop();
  });

  test('is that of another relay when the container goes on there', async () => {
    const first = await PlainRelay.start({ ...internet.network, lease: '10.0.2.77', gateway: '10.0.2.9' });
    const options = (url: string) => ({
      ...{ platform: nodePlatform(PUBLIC), image: image(), store, cpus: 1 },
      ...{ memoryBytes: 128 << 20, diskBytes: 256 << 20 },
      network: { relay: { kind: 'foreign', url } } as const,
    });
    const left = await startContainer({ ...options(first.url), entrypoint: ['sh'] });
    const before = await new Shell(left).run(
      'until ip route | grep default; do sleep 0.2; done; ip route | wc -l',
      /via[\s\S]*\n2\n/,
    );
    expect(before).toMatch('via 10.0.2.9 dev eth0');
    const { state, machine } = await left.suspend();
    const [saved, ram] = [structuredClone(state), machine.ram.slice()];
    await left.destroy();
    await first.stop();

    const second = await PlainRelay.start(internet.network);
    const session = { state: saved, fillRam: (empty: Uint8Array) => empty.set(ram) };
    const container = await resumeContainer({ ...options(second.url), session });
    const script =
      'until grep 10.0.2.15 /etc/hosts; do sleep 0.2; done; ip route; ' +
      'until ip -6 route | grep ^default; do sleep 0.2; done; ip -6 route | grep -c ^default; ' +
      `wget -q -O - http://good.example:${internet.web}/part | sha256sum`;
    const after = await new Shell(container).run(script, /linuxrun\n[\s\S]* {2}-\n/);
    expect(after.split('\n').map((line) => line.trim())).toEqual([
      'linuxrun',
      'default via 10.0.2.2 dev eth0',
      expect.stringMatching(/^10\.0\.2\.0\/24 .* src 10\.0\.2\.15$/),
      expect.stringMatching(/^default via fe80::2 dev eth0/),
      '1',
      `${digestOf(internet.part)}  -`,
      '',
    ]);
    // The host asks at once, and the guest again.
    expect(second.solicitations).toBeGreaterThan(0);
    await container.destroy();
    await second.stop();
  });

  test('that is off lets everything fail at once, and says why', async () => {
    let status: NetworkStatus | undefined;
    const { stdout } = await run({
      image: image(),
      network: { relay: { kind: 'off', reason: 'It is off' } },
      onNetwork: (now) => {
        status = now;
      },
      entrypoint: shell(
        'read begin rest < /proc/uptime; for i in 1 2 3; do nslookup example.com; wget -O - http://192.0.2.9/; done 2>&1; ' +
          'read end rest < /proc/uptime; echo $begin $end',
      ),
    });
    expect(stdout.match(/SERVFAIL/g)).toHaveLength(3);
    expect(stdout.match(/No route to host|Connection refused/g)).toHaveLength(3);
    const [begin = 0, end = 0] = /^([\d.]+) ([\d.]+)$/m.exec(stdout)?.slice(1).map(Number) ?? [];
    // A resolver that hears nothing asks again after 5 s, for each of the three names.
    expect(end - begin).toBeLessThan(14);
    expect(status).toMatchObject({ state: 'off', reason: 'It is off', isMissed: true });
  });
});
