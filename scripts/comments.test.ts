import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const CODE = /\.(ts|tsx|mjs|c|h|S|css)$/;
/** The formatter's width of lines. It breaks code, but leaves comments as they are. */
const WIDTH = 110;
const TAB = '    ';
/** A line of a comment, or a comment behind code. */
const COMMENT = /^\s*(?:\/\/|\/\*|\*)|\s\/\/ /;

/** The numbers of the lines of comments that are too long. */
function longLines(source: string): number[] {
  const lines = source.split('\n').map((line) => line.replaceAll('\t', TAB));
  return lines.flatMap((line, index) => (line.length > WIDTH && COMMENT.test(line) ? [index + 1] : []));
}

test('comments have at most 110 columns', () => {
  const options = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', options, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  const files = listed.filter((file) => CODE.test(file) && existsSync(join(ROOT, file)));
  expect(files.length).toBeGreaterThan(400);
  const long = files.flatMap((file) =>
    longLines(readFileSync(join(ROOT, file), 'utf8')).map((line) => `${file}:${line}`),
  );
  expect(long).toEqual([]);
});

test('the check finds comments of each kind, and no code', () => {
  const at = (start: string, columns: number) => start.padEnd(columns, 'x');
  const kinds = ['// ', '  /** ', ' * ', 'const a = 1; // ', '\t/* '];
  for (const kind of kinds) {
    const indent = kind.startsWith('\t') ? TAB.length - 1 : 0;
    expect(longLines(`\n${at(kind, WIDTH - indent)}\n`), kind).toEqual([]);
    expect(longLines(`\n${at(kind, WIDTH - indent + 1)}\n`), kind).toEqual([2]);
  }
  expect(longLines(at("const url = 'https://example.com/", 200))).toEqual([]);
});
