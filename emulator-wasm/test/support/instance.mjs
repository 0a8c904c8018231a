// Plain JavaScript, so that a worker thread can load it without a build.

/** Ticks of the guest's clock per millisecond. */
const TICKS = 10_000;

/**
 * @param hot takes the instance's exports and returns the function that is called when code is reported as
 *   hot
 */
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
