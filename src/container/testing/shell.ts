/** The streams of a shell. */
interface Streams {
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
}

/** A shell with what it has said. */
export class Shell {
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #said = '';
  #heard: () => void = () => {};

  constructor({ stdin, stdout }: Streams) {
    this.#input = stdin.getWriter();
    void this.#listen(stdout).catch(() => {});
  }

  async #listen(stdout: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    const reader = stdout.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      this.#said += decoder.decode(next.value, { stream: true });
      this.#heard();
    }
  }

  /** Runs a command. @returns its output up to the first match */
  async run(command: string, output: RegExp): Promise<string> {
    this.#said = '';
    await this.#input.write(Buffer.from(`${command}\n`));
    for (;;) {
      const [match] = output.exec(this.#said) ?? [];
      if (match !== undefined) return match;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }
}
