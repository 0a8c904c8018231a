/** A page whose functions the test calls to run containers. */
import { startContainer } from '../../src/container/container.ts';
import { loadImage } from '../../src/container/image.ts';
import { browserPlatform } from '../../src/machine/platform/browser.ts';
import { browserCodec } from '../../src/oci/browser-codec.ts';
import { browserSource } from '../../src/oci/browser-source.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { browserStore } from '../../src/storage/browser.ts';

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The number of layers that were fetched. */
  readonly fetched: number;
}

async function run(reference: string, args: readonly string[], input: string): Promise<Result> {
  const base = new URL(location.href);
  let fetched = 0;
  const image = loadImage(browserSource(parseReference(reference), { base }), browserStore(), {
    codec: browserCodec,
    preferStored: false,
    signal: new AbortController().signal,
    onEvent: (event) => {
      if (event.type === 'stored') fetched++;
    },
  });
  const size = { cpus: 1, memoryBytes: 2 ** 28, diskBytes: 2 ** 28 };
  const platform = browserPlatform(base);
  const container = await startContainer({ platform, store: '', image, args, ...size });
  const stdin = container.stdin.getWriter();
  void stdin.write(new TextEncoder().encode(input));
  void stdin.close();
  const text = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => new Response(stream).text();
  const [stdout, stderr, , status] = await Promise.all([
    text(container.stdout),
    text(container.stderr),
    text(container.messages),
    container.exit,
  ]);
  await container.destroy();
  return { status, stdout, stderr, fetched };
}

Object.assign(globalThis, { run });
