// Plain JavaScript, so that a worker thread can load it as it is.

/** Ticks of the guest's clock in a millisecond. */
const TICKS = 10_000;

export function instantiate(module, memory, output, start) {
  const host = {
    now: () => Math.floor((performance.timeOrigin + performance.now() - start) * TICKS),
    wallClock: () => Date.now() * 1e6,
    output: (address, length) => output(new Uint8Array(memory.buffer, address >>> 0, length).slice()),
    doorbell: () => {},
  };
  return new WebAssembly.Instance(module, { env: { memory }, host }).exports;
}
