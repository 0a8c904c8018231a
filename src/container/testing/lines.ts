/** The lines of an output, as they come. */
export async function* lines(output: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  for await (const bytes of output) {
    const parts = (rest + Buffer.from(bytes)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}
