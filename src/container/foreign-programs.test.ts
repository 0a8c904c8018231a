/**
 * Runs programs that people use on processors that are emulated. `node scripts/foreign-images.mjs` makes
 * their images, and `LONG_TESTS=1 npx vitest run src/container/foreign-programs.test.ts` runs them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FOREIGN_IMAGES } from '../../scripts/setup/places.mjs';
import type { ContainerMachine } from './container.ts';
import { FOREIGN, type Foreign } from './testing/foreign.ts';
import { pull, start, text } from './testing/run.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const index = join(FOREIGN_IMAGES, 'index.json');
const images = process.env.LONG_TESTS !== undefined && existsSync(index) ? readFileSync(index, 'utf8') : '';
const hasImage = (tag: string) => images.includes(`"${tag}"`);
const GO_ARCH = { arm64: 'arm64', amd64: 'amd64' };

/** A container that sleeps, for others beside its first process. */
function useContainer(tag: string, ...args: string[]): (script: string) => Promise<string> {
  let container: ContainerMachine;
  beforeAll(async () => {
    const image = pull(`oci://${FOREIGN_IMAGES}:${tag}`);
    container = await start({ image, args, memoryBytes: 512 << 20 });
  });
  afterAll(() => container.destroy());
  return async (script) => {
    const { stdin, stdout, exit } = container.exec({ args: ['sh', '-c', `{ ${script}\n} 2>&1`] });
    await stdin.close();
    return `${await text(stdout)}${await exit}`;
  };
}

const PYTHON = `
import hashlib, json, multiprocessing, os, signal, sqlite3, subprocess, sys, threading, time

caught = []
signal.signal(signal.SIGALRM, lambda number, frame: caught.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.2)
counts = []
threads = [threading.Thread(target=lambda n=n: counts.append(sum(range(n * 1000)))) for n in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
while not caught: time.sleep(0.05)
print(sorted(counts)[-1], caught)
print(hashlib.sha256(b'linux' * 10000).hexdigest()[:16], json.dumps({'a': [1, 2.5, None]}))
print(subprocess.run('sort | uniq -c | sort -rn | head -1', shell=True, input='b\\na\\nb\\n', text=True, capture_output=True).stdout.strip())
context = multiprocessing.get_context('fork')
receiver, sender = context.Pipe()
child = context.Process(target=lambda: sender.send(os.getpid() != 0))
child.start(); child.join()
print(receiver.recv(), child.exitcode)
database = sqlite3.connect('/tmp/python.db')
database.execute('create table t (n)')
database.executemany('insert into t values (?)', ((n,) for n in range(1000)))
database.commit()
print(database.execute('select count(*), sum(n) from t').fetchone())
victim = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(1000)'])
time.sleep(0.1); victim.kill(); print(victim.wait())
print(0.1 + 0.2, 2 ** 0.5, 10 ** 30 // 7, -7 // 2, float('1e308') * 10)
`;

const PERL = `
use strict; use POSIX ':sys_wait_h';
my %words; $words{$_ % 7}++ for 1 .. 10000;
print join(' ', map { "$_=$words{$_}" } sort keys %words), "\\n";
pipe(my $in, my $out) or die;
my $child = fork; if (!$child) { close $in; print $out "from child\\n"; exit 5 }
close $out; print scalar <$in>; waitpid($child, 0); print $? >> 8, "\\n";
my $caught = 0; $SIG{ALRM} = sub { $caught++ }; alarm 1; select(undef, undef, undef, 3) until $caught; print "alarm $caught\\n";
open(my $sorted, '-|', 'printf "3\\n1\\n2\\n" | sort') or die; print map { chomp; "$_ " } <$sorted>; print "\\n";
(my $text = 'The quick brown fox') =~ s/(\\w+)/\\u\\L$1/g; print "$text\\n";
printf "%.15g %s\\n", 0.1 + 0.2, 2 ** 53;
`;

const SQL = `
create table t (id integer primary key, name text, x real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
  insert into t select i, 'name ' || (i % 10), i / 3.0 from n;
create index by_name on t (name, x);
begin; delete from t where id % 2; rollback;
select count(*), round(sum(x), 6), max(name) from t;
select name, count(*) from t where x > 100 group by name order by name limit 2;
pragma integrity_check;
`;

/** Describes an image for each processor, which is skipped if it is not made. */
function describeImages(
  name: string,
  prefix: string,
  define: (architecture: Foreign, tag: string) => void,
): void {
  for (const architecture of FOREIGN) {
    const tag = `${prefix}-${architecture}`;
    describe.runIf(hasImage(tag))(`${name} for ${architecture}`, () => define(architecture, tag));
  }
}

const quote = (script: string) => `<<'END'\n${script}\nEND`;

describeImages('Debian', 'debian', (architecture, tag) => {
  const shell = useContainer(tag, 'sleep', '100000');

  test('runs scripts, pipes and jobs', async () => {
    const script = `
      for i in 1 2 3 4 5; do seq 1 200 | sed s/1/x/g | sort | tail -1; done
      (sleep 1000 & echo $! > /tmp/pid; wait) & sleep 0.5; kill $(cat /tmp/pid); wait; echo waited
      printf '#!/usr/bin/env bash\\nset -o pipefail; false | cat; echo \${PIPESTATUS[0]} \${BASH_VERSINFO}\\n' > /tmp/script
      chmod +x /tmp/script; /tmp/script
      head -c 300000 /dev/zero | tr '\\0' a | gzip | gunzip | bzip2 | bunzip2 | sha256sum
      find /usr/share/doc -name copyright | xargs -n 20 grep -l GPL | wc -l | mawk '{ print ($1 > 10) }'`;
    expect(await shell(script)).toMatch(/^(xxx\n){5}waited\n1 5\n12e1b9b1[0-9a-f]{56} {2}-\n1\n0$/);
  });

  test('runs Python', async () => {
    expect(await shell(`python3 - ${quote(PYTHON)}`)).toBe(
      '24496500 [14]\n' +
        '5aa54d7c9017fa8f {"a": [1, 2.5, null]}\n' +
        '2 b\nTrue 0\n(1000, 499500)\n-9\n' +
        '0.30000000000000004 1.4142135623730951 142857142857142857142857142857 -4 inf\n0',
    );
  });

  test('runs Perl', async () => {
    expect(await shell(`perl - ${quote(PERL)}`)).toBe(
      '0=1428 1=1429 2=1429 3=1429 4=1429 5=1428 6=1428\nfrom child\n5\nalarm 1\n1 2 3 \nThe Quick Brown Fox\n' +
        '0.3 9.00719925474099e+15\n0',
    );
  });

  test('runs SQLite', async () => {
    expect(await shell(`sqlite3 /tmp/t.db ${quote(SQL)}`)).toBe(
      '2000|667000.0|name 9\nname 0|170\nname 1|170\nok\n0',
    );
  });

  test('runs a program in Go', async () => {
    expect(await shell('go-program')).toBe(
      `${GO_ARCH[architecture]} 332833500 500\n` +
        '5aa54d7c9017fa8f5352bff58fee19f8ce2554b5841945aaaeedf9f8a5e6b1b5\nTHROUGH A CHILD\nexit status 3\nuser defined signal 1\n{"path":"/some/path"}\n0',
    );
  });
});

describeImages('a root with musl', 'musl', (_, tag) => {
  const shell = useContainer(tag, 'busybox', 'sleep', '100000');

  test('runs BusyBox, its scripts and pipes', async () => {
    const script = `
      busybox --install -s /bin
      for i in 1 2 3; do seq 1 200 | sed s/1/x/g | sort | tail -1; done
      printf '#!/bin/sh\\necho "script $1"\\n' > /script; chmod +x /script; /script x
      head -c 300000 /dev/zero | gzip | gunzip | sha256sum | cut -c 1-8
      (sleep 1000 & echo $! > /pid; wait) & sleep 1; kill $(cat /pid); wait; echo waited; awk 'BEGIN { print 0.1 + 0.2 }'`;
    expect(await shell(script)).toBe('xxx\nxxx\nxxx\nscript x\n886715e4\nwaited\n0.3\n0');
  });

  test('runs threads', async () => {
    expect(await shell('threads')).toBe('8000 8000, signal 10, child 9\n7');
  });
});
