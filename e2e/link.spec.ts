import { expect, test } from './fixtures.ts';
import { BUSYBOX, HELLO_WORLD, linkTo } from './support/visitor.ts';

test('a link shows the command, waits for a click, and runs it', { tag: '@firefox' }, async ({ visitor }) => {
  await visitor.open({ image: BUSYBOX, entrypoint: 'echo', args: '"hello  friend"' });
  await expect(visitor.whatRuns).toContainText("echo 'hello  friend'");
  await expect(visitor.terminals).toHaveCount(0);
  await visitor.run();
  await visitor.expectExit(0);
  await visitor.expectScreen(/^hello {2}friend$/m);
});

test('options reach the container', async ({ visitor }) => {
  const script = 'echo process $$; env | sort; nproc; free -m; df -m / | tail -1; pwd';
  await visitor.runLink({
    image: BUSYBOX,
    entrypoint: 'sh -c',
    args: `'${script}'`,
    env: 'GREETING=hello world,LIST=a\\,b',
    memory: '192M',
    cpus: '3',
    disk: '48M',
    init: '1',
  });
  await visitor.expectExit(0);
  const text = await visitor.screenText();
  expect(text).toMatch(/^process 2$/m);
  expect(text).toMatch(/^GREETING=hello world$/m);
  expect(text).toMatch(/^LIST=a,b$/m);
  expect(text).toMatch(/^3$/m);
  const [, memory] = /^Mem:\s+(\d+)/m.exec(text) ?? [];
  expect(Number(memory)).toBeGreaterThan(150);
  expect(Number(memory)).toBeLessThan(192);
  const [, disk] = /^\S+\s+(\d+)\s.*\/$/m.exec(text) ?? [];
  expect(Number(disk)).toBeGreaterThan(32);
  expect(Number(disk)).toBeLessThanOrEqual(48);
});

test('options typed into the form reach the container and the link that Share copies', {
  tag: '@firefox',
}, async ({ page, context, visitor }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await visitor.open({ image: BUSYBOX });
  await visitor.openOptions();
  await visitor.fill(visitor.field('Entrypoint'), 'sh');
  await visitor.fill(visitor.field('Arguments'), "-c 'echo $COLOUR; nproc'");
  await visitor.addVariable('COLOUR', 'blue, green');
  await visitor.fill(visitor.field('CPUs'), '2');
  await visitor.fill(visitor.field('User name'), 'me');
  await visitor.fill(visitor.field('Password or token'), 'open sesame');
  await visitor.button('Share').click();
  await page.getByRole('checkbox', { name: 'Include the value of COLOUR' }).check();
  await visitor.button('Copy the link').click();
  await expect(visitor.button('Link copied')).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).not.toMatch(/sesame/);

  const friend = await context.newPage();
  await friend.goto(link);
  await expect(friend.getByLabel('Arguments')).toHaveValue("-c 'echo $COLOUR; nproc'");
  await expect(friend.getByLabel('Value of variable 1')).toHaveValue('blue, green');
  await friend.close();

  await visitor.run();
  await visitor.expectExit(0);
  await visitor.expectScreen(/^blue, green\n2$/m);
});

test('values of variables stay out of the address, recent runs and links', async ({
  page,
  context,
  visitor,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await visitor.open({ image: BUSYBOX, entrypoint: 'sh -c', args: "'echo got $TOKEN'", env: 'TOKEN=sesame' });
  const value = visitor.field('Value of variable 1');
  await expect(value).toHaveValue('sesame');
  expect(page.url()).toMatch(/LINUXRUN_ENV=TOKEN=$/);
  await page.reload();
  await expect(value).toHaveValue('sesame');

  await visitor.fill(value, 'open');
  await visitor.run();
  await visitor.expectScreen(/^got open$/m);
  await visitor.expectExit(0);
  expect(page.url()).toMatch(/LINUXRUN_ENV=TOKEN=$/);
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toMatch(/sesame|open/);
  await page.reload();
  await expect(value).toHaveValue('open');

  await visitor.button('Share').click();
  await visitor.button('Copy the link').click();
  await expect(visitor.button('Link copied')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url());

  await visitor.open();
  await page.getByRole('button', { name: /^BusyBox.*echo got/ }).click();
  await expect(visitor.field('Name of variable 1')).toHaveValue('TOKEN');
  await expect(value).toHaveValue('');
  await expect(page.getByRole('group', { name: 'Environment' })).toHaveAccessibleDescription(
    /without a value: TOKEN/i,
  );
});

test('an error in a link is shown at its field', async ({ visitor }) => {
  const wrong = { cpus: '99', disk: '1K', entrypoint: 'sh -c "unclosed' };
  for (const [link, messages] of [
    [
      { image: 'No Such Name', memory: '1M' },
      { Image: /reference|name|capital|lower/i, Memory: /too little/ },
    ],
    [
      { image: '', memory: '9G' },
      { Image: /empty/, Memory: /too much/ },
    ],
    [{ image: HELLO_WORLD, memory: 'plenty' }, { Memory: /size/ }],
    [
      { image: HELLO_WORLD, ...wrong },
      { CPUs: /1 to 8/, Disk: /disk|at least/i, Entrypoint: /quot/ },
    ],
  ] as const) {
    await visitor.open(link);
    for (const [field, message] of Object.entries(messages)) {
      await expect(visitor.field(field), JSON.stringify(link)).toHaveAttribute('aria-invalid', 'true');
      await expect(visitor.field(field)).toHaveAccessibleDescription(message);
    }
    await expect(visitor.button('Run')).toBeDisabled();
  }
});

test('malformed variables in a link are explained and can be corrected', async ({ page, visitor }) => {
  await page.goto(`./${linkTo({ image: HELLO_WORLD, env: 'no assignment' })}&LINUXRUN_COLOR=red`);
  await expect(page.getByRole('group', { name: 'Environment' })).toHaveAccessibleDescription(/no assignment/);
  await expect(page.getByRole('note')).toContainText('LINUXRUN_COLOR');
  await expect(visitor.button('Run')).toBeDisabled();
});
