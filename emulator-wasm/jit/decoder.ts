/**
 * Returns `decodePage` of an instance of the core that only decodes and has no host.
 * @returns a function that takes the address of a hart's block and returns a hash of the page
 */
export function decoder(emulator: WebAssembly.Module, memory: WebAssembly.Memory): (hart: number) => bigint {
  const unused = () => {
    throw new Error('the translator runs no guest code');
  };
  const host = { now: unused, wallClock: unused, output: unused, doorbell: unused, hot: unused };
  const { exports } = new WebAssembly.Instance(emulator, { env: { memory }, host });
  return exports.decodePage as (hart: number) => bigint;
}
