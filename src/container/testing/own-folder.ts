import { serveFolder } from '../../folders/remote-folder.ts';
import type { SharedFolder } from '../../folders/shared-folder.ts';

let places = 0;

/** A folder of this thread, as the owner of a machine describes it. */
export function ownFolder(folder: SharedFolder, place = `test ${places++}`) {
  const { port1, port2 } = new MessageChannel();
  (port1 as unknown as { unref(): void }).unref();
  serveFolder(folder, port1);
  return { kind: 'remote', port: port2, place } as const;
}
