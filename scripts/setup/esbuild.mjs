/** Bundles sources with esbuild. */
import { SetupFailure } from './failure.mjs';
import { PROJECT } from './places.mjs';

/**
 * @param {import('esbuild').BuildOptions} options paths are relative to the clone
 * @throws SetupFailure with esbuild's messages
 */
export async function esbuild(options) {
  const { build } = await import('esbuild');
  const result = build({ ...options, absWorkingDir: PROJECT, bundle: true, logLevel: 'silent' });
  return result.catch((error) => Promise.reject(new SetupFailure(error.message)));
}
