import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processorTime } from '../../scripts/testing/processor-time.mjs';
import { checkVariableNames, VARIABLES } from './variables.mjs';

const PROJECT = join(import.meta.dirname, '../..');

test('accepts every variable, and what does not begin with LINUXRUN_', () => {
  const env = Object.fromEntries(VARIABLES.map((name) => [`LINUXRUN_${name}`, '1']));
  expect(() => checkVariableNames({ ...env, LINUX: '1', linuxrun_image: 'x', PATH: '/bin' })).not.toThrow();
});

test.each([
  ['LINUXRUN_MEMROY', 'LINUXRUN_MEMORY'],
  ['LINUXRUN_CPU', 'LINUXRUN_CPUS'],
  ['LINUXRUN_WORKING_DIR', 'LINUXRUN_WORKDIR'],
  ['LINUXRUN_HOST', 'LINUXRUN_HOSTS'],
  ['LINUXRUN_REGISTRY_PASSWD', 'LINUXRUN_REGISTRY_PASSWORD'],
  ['LINUXRUN_image', 'LINUXRUN_IMAGE'],
])('%s is probably %s', (name, meant) => {
  expect(() => checkVariableNames({ [name]: '' })).toThrow(
    `no variable ${name}: unset it, or write ${meant} if`,
  );
});

test('a name of any length from outside costs little', () => {
  const name = `LINUXRUN_${'X'.repeat(100_000)}`;
  const time = processorTime(() => expect(() => checkVariableNames({ [name]: '' })).toThrow(/X…: unset it$/));
  expect(time).toBeLessThan(5000);
});

test('the list has every variable that the sources name', () => {
  const pattern = 'LINUXRUN_[A-Z_]*[A-Z]';
  const options = ['grep', '-ohE', pattern, '--', 'run.sh', 'src', 'scripts', 'README.md', 'docs'];
  const named = execFileSync('git', [...options, ':!*.test.ts', ':!*/testing/*'], {
    cwd: PROJECT,
    encoding: 'utf8',
  });
  const known = VARIABLES.map((name) => `LINUXRUN_${name}`);
  expect([...new Set(named.trim().split('\n'))].filter((name) => !known.includes(name))).toEqual([]);
});
