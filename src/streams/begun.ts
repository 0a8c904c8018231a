/** Waits for the first bytes of a stream, so that a file that cannot be read fails before it is sent on. */
export async function begun(content: ReadableStream<Uint8Array>): Promise<ReadableStream<Uint8Array>> {
  const reader = content.getReader();
  let first: ReadableStreamReadResult<Uint8Array> | undefined = await reader.read();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = first ?? (await reader.read());
        first = undefined;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
