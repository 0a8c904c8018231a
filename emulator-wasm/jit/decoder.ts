/**
 * `decodePage` of an instance of the core that only decodes, and has nothing of a host.
 * @returns a function of a hart's block, which gives a hash of the page
 */
export function decoder(emulator: WebAssembly.Module, memory: WebAssembly.Memory): (hart: number) => bigint {
  const unused = () => {
    throw new Error('the translator runs no guest code');
  };
  const host = { now: unused, wallClock: unused, output: unused, doorbell: unused, hot: unused };
  const { exports } = new WebAssembly.Instance(emulator, { env: { memory }, host });
  return exports.decodePage as (hart: number) => bigint;
}
