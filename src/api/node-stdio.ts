/** The standard streams of this process. */
export function openInput(): ReadableStream<Uint8Array> {
  const { stdin } = process;
  const iterator = stdin.iterator({ destroyOnReturn: false });
  return new ReadableStream(
    {
      async pull(controller) {
        const { value, done } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value as Buffer);
      },
      async cancel() {
        await iterator.return?.();
        stdin.pause();
      },
    },
    { highWaterMark: 0 },
  );
}

export function openOutput(descriptor: 1 | 2): WritableStream<Uint8Array> {
  const stream = descriptor === 1 ? process.stdout : process.stderr;
  return new WritableStream({
    write: (bytes) => write(stream, bytes),
  });
}

/** Writes to a stream; resolves when the stream takes more. */
export function write(stream: NodeJS.WritableStream, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve())));
}
