/** A stream of what a generator yields, which ends when the stream is cancelled. */
export function streamOf<T>(source: AsyncGenerator<T, void>): ReadableStream<T> {
  return new ReadableStream<T>(
    {
      async pull(controller) {
        const next = await source.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: async () => {
        await source.return();
      },
    },
    { highWaterMark: 0 },
  );
}
