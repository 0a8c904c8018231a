import { UART_RX_HEAD, UART_RX_RING, UART_RX_SIZE, UART_RX_TAIL } from '../../emulator-wasm/layout.ts';
import { chunks } from '../streams/chunks.ts';
import { wakeHarts } from './hart-words.ts';

/** How often to check whether the guest has made room, in ms. */
const PATIENCE = 10;

/** Feeds bytes to the guest's UART as fast as the guest takes them. */
export async function feedUart(
  memory: WebAssembly.Memory,
  harts: number,
  input: ReadableStream<Uint8Array>,
): Promise<void> {
  const words = new Int32Array(memory.buffer);
  const ring = new Uint8Array(memory.buffer, UART_RX_RING, UART_RX_SIZE);
  const [head, tail] = [UART_RX_HEAD >>> 2, UART_RX_TAIL >>> 2];
  for await (const bytes of chunks(input)) {
    for (let sent = 0; sent < bytes.length; ) {
      const count = Atomics.load(words, head);
      const free = UART_RX_SIZE - ((count - Atomics.load(words, tail)) | 0);
      const part = bytes.subarray(sent, sent + free);
      part.forEach((byte, index) => {
        ring[(count + index) & (UART_RX_SIZE - 1)] = byte;
      });
      Atomics.store(words, head, count + part.length);
      wakeHarts(words, harts);
      sent += part.length;
      if (sent < bytes.length) await new Promise((resolve) => setTimeout(resolve, PATIENCE));
    }
  }
}
