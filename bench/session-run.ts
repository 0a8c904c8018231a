/** A session that is suspended and goes on, again and again. It runs in Node and in a page. */
import type * as node from '../src/api/node.ts';

type Api = Pick<typeof node, 'Container' | 'containers' | 'images'>;
type Running = Awaited<ReturnType<Api['containers']['start']>>;

export interface SessionFigures {
  /** Of each cycle. */
  readonly cycles: readonly { readonly suspend: number; readonly resume: number; readonly bytes: number }[];
  /** Of each start of a Python prompt: booted, and from a saved start; in ms. */
  readonly booted: readonly number[];
  readonly warm: readonly number[];
}

const CYCLES = 10;
const NAME = 'bench-session';
const TERMINAL = { terminal: { columns: 80, rows: 24 } } as const;
/** 200 MiB, of which half is random and half repeats. It is compared with sums that were taken at first. */
const TOUCH = `
import os, zlib
blocks = [os.urandom(2048) + bytes(range(256)) * 8 for _ in range(51200)]
sums = [zlib.crc32(block) for block in blocks]
print("touched", len(blocks))
while True:
    input()
    print("whole", [zlib.crc32(block) for block in blocks] == sums)
`;

/** Keeps the lines that are typed into it. */
const EDIT = 'lines = []\nwhile True: lines.append(input()); print("lines", len(lines), flush=True)';
const PROGRAMS = [
  ['python3', '-c', EDIT],
  ['python3', '-m', 'http.server', '8000'],
  ['python3', '-c', TOUCH],
] as const;

export async function measureSession(
  { Container, containers, images }: Api,
  image: ConstructorParameters<Api['Container']>[0],
  starts: number,
): Promise<SessionFigures> {
  const first = await new Container(image)
    .entrypoint('sh')
    .network('none')
    .terminal(TERMINAL.terminal)
    .keepable()
    .run();
  let input = Writer.of(first);
  await input.until('export PS1=; echo re""ady', /ready/);
  const [editor, server, memory] = PROGRAMS.map((args) => Writer.of(first.exec(args, TERMINAL))) as [
    Writer,
    Writer,
    Writer,
  ];
  await editor.until('first line', /lines 1/);
  await memory.until(undefined, /touched 51200/);
  await server.until(undefined, /Serving HTTP/);
  await first.keep(NAME);
  const cycles: { suspend: number; resume: number; bytes: number }[] = [];
  let running: Running = first;
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const begin = performance.now();
    await running.suspend();
    const suspended = performance.now();
    running = await containers.start(NAME);
    input = Writer.of(running);
    await input.until(`echo cy""cle ${cycle}`, new RegExp(`cycle ${cycle}`));
    const resumed = performance.now();
    const kept = await containers.get(NAME);
    cycles.push({ suspend: suspended - begin, resume: resumed - suspended, bytes: kept?.usedBytes ?? 0 });
  }
  await check(running);
  await running[Symbol.asyncDispose]();
  await containers.remove(NAME);
  return { cycles, ...(await measureStarts({ Container, containers, images }, image, starts)) };
}

/** Nothing has changed in the session. @throws Error */
async function check(running: Running): Promise<void> {
  const [editor, , memory] = running.resumed.map((child) => Writer.of(child)) as [Writer, Writer, Writer];
  await editor.until('second line', /lines 2/);
  const response = await running.proxyRequest(new Request('http://localhost:8000/'));
  if (response.status !== 200) throw new Error(`the server answers ${response.status}`);
  const outcome = await memory.until('', /whole (True|False)/);
  if (outcome !== 'whole True') throw new Error('the memory of a program has changed');
}

async function measureStarts(
  { Container, images }: Api,
  image: ConstructorParameters<Api['Container']>[0],
  starts: number,
): Promise<Pick<SessionFigures, 'booted' | 'warm'>> {
  const python = () =>
    new Container(image).entrypoint('python3').network('none').terminal(TERMINAL.terminal).keepable();
  const prompt = async (container: Promise<Running>, text?: string) => {
    const running = await container;
    await Writer.of(running).until(text, /(>>> |\r\n42\r\n)/);
    return running;
  };
  const booted: number[] = [];
  const warm: number[] = [];
  const origin = await prompt(python().run());
  await origin.saveStart();
  await origin[Symbol.asyncDispose]();
  for (let round = 0; round < starts; round++) {
    for (const [times, isFresh] of [
      [booted, true],
      [warm, false],
    ] as const) {
      const begin = performance.now();
      const running = await prompt(python().fresh(isFresh).run(), isFresh ? undefined : 'print(6 * 7)');
      times.push(performance.now() - begin);
      await running[Symbol.asyncDispose]();
    }
  }
  for (const { id } of await images.starts()) await images.removeStart(id);
  return { booted, warm };
}

/** Writes lines to a process, and waits for its output. */
class Writer {
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #said = '';
  #heard: () => void = () => {};

  static of(process: Pick<Running, 'stdin' | 'stdout'>): Writer {
    return new Writer(process.stdin, process.stdout);
  }

  private constructor(stdin: WritableStream<Uint8Array>, stdout: ReadableStream<Uint8Array>) {
    this.#input = stdin.getWriter();
    void this.#listen(stdout.getReader()).catch(() => {});
  }

  /** @param line undefined if nothing is written @returns the output that was waited for */
  async until(line: string | undefined, output: RegExp): Promise<string> {
    if (line !== undefined) await this.#input.write(new TextEncoder().encode(`${line}\r`));
    for (;;) {
      const [found] = output.exec(this.#said) ?? [];
      if (found !== undefined) {
        this.#said = '';
        return found;
      }
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  async #listen(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      this.#said += decoder.decode(next.value, { stream: true });
      this.#heard();
    }
  }
}
