import { expect, it } from 'vitest';
import { deferred } from '../../machine/deferred.ts';
import { forward } from './forward.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const settled = () => new Promise((resolve) => setTimeout(resolve));

/** A stream without an internal buffer, and its writer. */
function pipe() {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  return { readable, writer: writable.getWriter() };
}

it('passes on the first bytes at once, and later ones together in one piece', async () => {
  const { readable, writer } = pipe();
  const taken: number[][] = [];
  const gates = [deferred<void>(), deferred<void>()];
  const done = forward(readable, (part) => {
    taken.push([...part]);
    return gates[taken.length - 1]?.promise;
  });
  for (const value of [1, 2, 3]) await writer.write(bytes(value));
  await settled();
  expect(taken).toEqual([[1]]);
  gates[0]?.resolve();
  await settled();
  expect(taken).toEqual([[1], [2, 3]]);
  await writer.write(bytes(4));
  const closed = writer.close();
  gates[1]?.resolve();
  await Promise.all([closed, done]);
  expect(taken).toEqual([[1], [2, 3], [4]]);
});

it('slows the stream down when many bytes wait', async () => {
  const { readable, writer } = pipe();
  const gate = deferred<void>();
  let taken = 0;
  const done = forward(readable, async ({ length }) => {
    await gate.promise;
    taken += length;
  });
  let written = 0;
  const write = async () => {
    for (let count = 0; count < 100; count++) {
      await writer.write(new Uint8Array(64 << 10));
      written++;
    }
    await writer.close();
  };
  const writing = write();
  await settled();
  expect(written).toBeLessThan(10);
  gate.resolve();
  await Promise.all([writing, done]);
  expect(taken).toBe(100 * (64 << 10));
});

it('fails when the receiver or the stream fails', async () => {
  const broken = pipe();
  const refused = forward(broken.readable, () => Promise.reject(new Error('enough')));
  await broken.writer.write(bytes(1));
  void broken.writer.close().catch(() => {});
  await expect(refused).rejects.toThrow('enough');

  const { readable, writer } = pipe();
  const failed = forward(readable, () => {});
  await writer.write(bytes(1));
  void writer.abort(new Error('gone'));
  await expect(failed).rejects.toThrow('gone');
});
