/** The standard streams of this process. */
export function openInput(isRaw: boolean): ReadableStream<Uint8Array> {
  const { stdin } = process;
  const iterator = stdin.iterator({ destroyOnReturn: false });
  const setRaw = (on: boolean) => isRaw && stdin.isTTY && stdin.setRawMode(on);
  setRaw(true);
  return new ReadableStream(
    {
      async pull(controller) {
        const { value, done } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value as Buffer);
      },
      async cancel() {
        setRaw(false);
        // The iterator may be waiting for input, and would return only then.
        void iterator.return?.();
        stdin.pause();
        stdin.unref?.();
      },
    },
    { highWaterMark: 0 },
  );
}

export function openOutput(descriptor: 1 | 2): WritableStream<Uint8Array> {
  const stream = descriptor === 1 ? process.stdout : process.stderr;
  // The error of a write also goes to the listeners of the stream, a little later.
  const ignore = () => {};
  const stopIgnoring = () => void setImmediate(() => stream.off('error', ignore));
  stream.on('error', ignore);
  return new WritableStream({
    async write(bytes) {
      try {
        await write(stream, bytes);
      } catch (error) {
        stopIgnoring();
        throw error;
      }
    },
    close: stopIgnoring,
    abort: stopIgnoring,
  });
}

/** Writes to a stream; resolves when the stream takes more. */
export function write(stream: NodeJS.WritableStream, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve())));
}
