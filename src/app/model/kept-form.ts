import type { KeptContainer } from '../../api/kept-list.ts';
import { formatSize } from '../../options/limits.mjs';
import { formatPort } from '../../options/published-ports.mjs';
import { quoteWord } from '../../options/words.mjs';
import { DEFAULT_FORM } from './form.ts';
import { writeLink } from './link.ts';

/** Returns the query of a link to a container like a kept one, without values of variables. */
export function linkOf({ image, options }: Pick<KeptContainer, 'image' | 'options'>): string {
  const words = (line: readonly string[] | undefined) => (line ?? []).map(quoteWord).join(' ');
  const form = {
    ...DEFAULT_FORM,
    image,
    entrypoint: words(options.entrypoint),
    args: words(options.args),
    env: options.env.map((assignment) => ({ name: assignment.split('=', 1).join(), value: '' })),
    workdir: options.currentDir ?? '',
    memory: formatSize(options.memoryBytes),
    cpus: String(options.cpus),
    disk: formatSize(options.diskBytes),
    init: options.init ? '1' : '',
    devices: options.devices.join(','),
    ports: options.ports.map(formatPort).join(','),
    network: options.network === 'none' ? 'none' : '',
  };
  return writeLink(form, { withValues: false });
}
