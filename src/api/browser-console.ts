/** Shows output as lines of the browser's console. */
export function openConsole(descriptor: 1 | 2): WritableStream<Uint8Array> {
  const show = descriptor === 1 ? console.log : console.error;
  const decoder = new TextDecoder();
  let line = '';
  return new WritableStream({
    write(bytes) {
      const lines = (line + decoder.decode(bytes, { stream: true })).split('\n');
      line = lines.pop() ?? '';
      for (const complete of lines) show(complete);
    },
    close() {
      if (line !== '') show(line);
    },
  });
}
