/**
 * The page in frames of other pages: a terminal, and nothing else. It neither reads nor writes what the page
 * itself has stored about its user: settings, recent runs and passwords. A stored image runs only if its
 * registry still gives it to everyone.
 */
import { configure } from '../api/browser.ts';
import '../element/element.ts';
import { formatAssignments } from '../options/assignments.mjs';
import { BASE } from './machine/machine-files.ts';
import { readLink } from './model/link.ts';

/** Shows what the address names, which waits for a click. */
export function showEmbedded(place: HTMLElement): void {
  configure({ assets: BASE, server: BASE });
  const { image, entrypoint, args, env, memory, cpus, network } = readLink(location.search).form;
  const variables = formatAssignments(env.map(({ name, value }) => `${name}=${value}`));
  const element = document.createElement('linux-run');
  element.className = 'embedded';
  Object.assign(element, { image, entrypoint, args, memory, cpus, network, env: variables, pull: 'always' });
  place.replaceChildren(element);
}
