import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { OutputRing } from './output-ring.ts';
import { bundle } from './platform/bundle.ts';

const never = () => false;

function readAll(ring: OutputRing): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let bytes = ring.read(); bytes.length > 0; bytes = ring.read()) parts.push(bytes);
  return Buffer.concat(parts);
}

test('returns bytes in order, around the end of the ring', () => {
  const ring = new OutputRing(OutputRing.allocate());
  for (let round = 0; round < 10; round++) {
    const bytes = Uint8Array.from({ length: 50_000 }, (_, index) => index * 7 + round);
    ring.write(bytes, () => {}, never);
    expect(Buffer.compare(readAll(ring), bytes)).toBe(0);
  }
});

test('wakes the reader of an empty ring only', () => {
  const ring = new OutputRing(OutputRing.allocate());
  let wakes = 0;
  const write = () => ring.write(Uint8Array.of(1), () => wakes++, never);
  write();
  write();
  expect(wakes).toBe(1);
  expect(readAll(ring).length).toBe(2);
  write();
  expect(wakes).toBe(2);
});

test('gives up when cancelled while full', () => {
  const ring = new OutputRing(OutputRing.allocate());
  let patience = 3;
  ring.write(
    new Uint8Array(1 << 20),
    () => {},
    () => --patience < 0,
  );
  expect(readAll(ring).length).toBe(0x1_0000);
});

test('two writers and a slow reader lose nothing and do not mix writes', async () => {
  const buffer = OutputRing.allocate();
  const script = bundle(new URL('./output-ring.ts', import.meta.url));
  const workers = [65, 66].map((letter) => {
    const source = `${script}
      const { buffer, letter } = require('node:worker_threads').workerData;
      const ring = new module.exports.OutputRing(buffer);
      const line = new Uint8Array(101).fill(letter);
      line[100] = 10;
      for (let count = 0; count < 5000; count++) ring.write(line, () => {}, () => false);`;
    return new Worker(source, { eval: true, workerData: { buffer, letter } });
  });
  const ring = new OutputRing(buffer);
  let output = '';
  let running = workers.length;
  for (const worker of workers) worker.on('exit', () => running--);
  while (running > 0 || output.length < 2 * 5000 * 101) {
    output += Buffer.from(readAll(ring)).toString();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const lines = output.split('\n').slice(0, -1);
  expect(lines.length).toBe(10_000);
  expect(lines.every((line) => /^(A{100}|B{100})$/.test(line))).toBe(true);
});
