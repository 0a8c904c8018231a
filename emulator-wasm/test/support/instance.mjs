// Plain JavaScript, so that a worker thread can load it as it is.

/** Ticks of the guest's clock in a millisecond. */
const TICKS = 10_000;

/** @param hot makes, of the instance's exports, what is called when code was reported as hot */
export function instantiate(module, memory, output, start, hot) {
  let translate;
  const host = {
    now: () => Math.floor((performance.timeOrigin + performance.now() - start) * TICKS),
    wallClock: () => Date.now() * 1e6,
    output: (address, length) => output(new Uint8Array(memory.buffer, address >>> 0, length).slice()),
    doorbell: () => {},
    hot: () => translate?.(),
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, host });
  translate = hot?.(exports);
  return exports;
}
