/** The network of the page's containers: relays, and the page's report on them. */
import { digestOf, FakeInternet } from '../src/network/testing/fake-internet.ts';
import { PlainRelay } from '../src/network/testing/plain-relay.ts';
import { Relay } from '../src/server/relay/relay.ts';
import type { RunningServer } from '../src/server/server.ts';
import { expect, test } from './fixtures.ts';
import { startLinuxRun } from './support/linuxrun-server.ts';
import { BUSYBOX, linkTo } from './support/visitor.ts';

let internet: FakeInternet;
test.beforeAll(async () => {
  internet = await FakeInternet.start();
});
test.afterAll(() => internet.stop());

test.describe('with the relay of its server', () => {
  // The browser logs that the relay is away.
  test.use({ expectedErrors: /ERR_CONNECTION_REFUSED|WebSocket/ });
  let relay: Relay;
  let server: RunningServer;

  async function start(registries: readonly string[] = [], port?: number): Promise<void> {
    relay = new Relay({ ...internet.network, log: () => {} });
    server = await startLinuxRun(registries, { relay, ...(port !== undefined && { port }) });
  }

  test('a container reaches the internet, also after the relay was away', async ({ page, visitor }) => {
    await start();
    await page.goto(server.pageUrl + linkTo({ image: BUSYBOX }));
    await visitor.run();
    await visitor.expectPrompt();
    await expect(visitor.figure('Network')).toHaveText('ready');
    expect(relay.sessions).toBe(0);

    const digest = digestOf(internet.part);
    await visitor.type(`wget -q -O f http://good.example:${internet.web}/part; sha256sum < f`);
    await visitor.expectScreen(new RegExp(`^${digest} {2}-$`, 'm'));
    await visitor.type(`echo sent $(nc ${internet.address} ${internet.uploads} < f)`);
    await visitor.expectScreen(new RegExp(`^sent ${digest}$`, 'm'));
    const { address, web, uploads } = internet;
    await visitor.type(
      `clear; for i in 1 2 3; do wget -q -O - http://${address}:${web}/part | sha256sum & ` +
        `wget -q -O - http://${address}:${web}/part | nc ${address} ${uploads} & done > all; wait; ` +
        "cut -d ' ' -f 1 all | sort | uniq -c",
    );
    await visitor.expectScreen(new RegExp(`^ *6 ${digest}$`, 'm'));
    await visitor.type('nslookup good.example; ping -c 1 10.0.2.2; nc 10.0.0.1 80');
    await visitor.expectScreen(/^Address: 192\.0\.2\.1$[\s\S]*1 packets received[\s\S]*Connection refused/m);

    await page.getByRole('button', { name: 'connected' }).focus();
    await page.keyboard.press('Enter');
    const details = page.getByRole('region', { name: 'The network' });
    // On a busy machine the relay sends some bytes again.
    await expect(details).toContainText(/Received2\d(?:\.\d)? MB, 0 B\/s now/);
    await expect(details).toContainText('20 MB/s in each direction by this server');
    await expect(details).toContainText('10.0.0.1:80, because the address is not public');
    await page.keyboard.press('Escape');

    await visitor.type(`wget -q -O g http://${internet.address}:${internet.web}/endless; echo status $?`);
    await expect.poll(() => internet.waiting).toBe(1);
    await server.close();
    await expect(visitor.problem).toContainText('The network is down');
    await visitor.expectScreen(/reset by peer[\s\S]*status 1/);
    await start([], Number(new URL(server.pageUrl).port));
    await expect(visitor.figure('Network')).toHaveText('connected');
    await expect(visitor.problem).toHaveCount(0);
    const fetched = `$(wget -q -O - http://${internet.address}:${internet.web}/part | sha256sum)`;
    await visitor.type(`echo again ${fetched}`);
    await visitor.expectScreen(new RegExp(`^again ${digestOf(internet.part)}`, 'm'));

    expect(relay.sessions).toBe(1);
    await page.close();
    await expect.poll(() => relay.sessions).toBe(0);
    await server.close();
  });
});

test('a link chooses no relay, but may take the network away', async ({ page, visitor }) => {
  await page.goto(`./${linkTo({ image: BUSYBOX, network: 'none' })}&LINUXRUN_RELAY=wss://relay.example`);
  const note = page.getByRole('note');
  await expect(note).toContainText(
    'Ignored: LINUXRUN_RELAY, because whoever names the relay sees all traffic',
  );
  await expect(note).toContainText('It has no network');
  await expect(visitor.whatRuns).toContainText('without network');
  await expect(visitor.field('Relay')).toHaveValue('');
  await expect(page.getByRole('checkbox', { name: 'No network' })).toBeChecked();
});

test('without a relay programs fail at once, and the page says why', async ({ page, visitor }) => {
  await visitor.open({ image: BUSYBOX });
  await visitor.openOptions();
  await visitor.field('Relay').fill('relay.example.com');
  await expect(visitor.field('Relay')).toHaveAccessibleDescription(/neither on, off, nor the address/);
  await expect(visitor.button('Run')).toBeDisabled();
  await visitor.field('Relay').fill('off');
  await visitor.run();
  await visitor.expectPrompt();
  await expect(visitor.problem).toHaveCount(0);
  await visitor.type('time wget http://example.com/');
  await visitor.expectScreen(/bad address[\s\S]*real\s+0m [01]\./);
  await expect(visitor.problem).toHaveText(/There is no network\. The relay is off in the options: .*wss:/);
  await expect(visitor.figure('Network')).toHaveText('off');
  // It is a setting of the browser, not of the container.
  expect(page.url()).not.toContain('RELAY');
  await visitor.open({ image: BUSYBOX });
  await visitor.openOptions();
  await expect(visitor.field('Relay')).toHaveValue('off');
});

test('the user may name a relay of somebody else', async ({ visitor }) => {
  const relay = await PlainRelay.start(internet.network);
  await visitor.open({ image: BUSYBOX });
  await visitor.openOptions();
  await visitor.field('Relay').fill(relay.url);
  await visitor.run();
  await visitor.expectPrompt();
  await expect(visitor.figure('Network')).toHaveText('connected');
  await visitor.type(`wget -q -O - http://good.example:${internet.web}/part | sha256sum`);
  await visitor.expectScreen(new RegExp(digestOf(internet.part)));
  await visitor.type(
    `head -c 1000000 /bin/busybox > f; sha256sum f; nc ${internet.address} ${internet.uploads} < f`,
  );
  await visitor.expectScreen(/^([0-9a-f]{64}) {2}f\n\1$/m);
  await relay.stop();
});
