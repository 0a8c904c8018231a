import { write } from './program.ts';

/** Carries out a command for each name at the same time, and prints the names; returns the status. */
export async function forEach(
  names: readonly string[],
  action: (name: string) => Promise<void>,
): Promise<number> {
  const results = await Promise.allSettled(
    names.map(async (name) => {
      await action(name);
      await write(process.stdout, `${name}\n`);
    }),
  );
  const failures = results.filter((result) => result.status === 'rejected');
  for (const { reason } of failures) process.stderr.write(`linuxrun: ${(reason as Error).message}\n`);
  return failures.length === 0 ? 0 : 1;
}
