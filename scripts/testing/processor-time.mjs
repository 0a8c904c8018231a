/**
 * Returns the processor time of this process for a function, in ms. Unlike time, it depends little on other
 * programs.
 * @param {() => void} run
 */
export function processorTime(run) {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
