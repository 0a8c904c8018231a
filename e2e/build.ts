import { build } from 'vite';

/** Builds the page from the sources as they are, before any test. */
export default async function buildPage(): Promise<void> {
  await build({ logLevel: 'warn' });
}
