import { detailsOf, hexId } from '../api/container-info.ts';
import type { StartedContainer } from '../api/started-container.ts';
import { familiarName } from '../docker/images.ts';
import type { OutputStream } from '../docker/output-log.ts';
import { reportStart } from './detach.ts';
import { CommandError } from './errors.ts';
import type { Owner } from './owner.ts';
import type { Witness } from './run-container.ts';

interface Owned {
  /** Undefined for one that is made up. */
  readonly name: string | undefined;
  /** As the user named it; undefined if a session says it. */
  readonly image: string | undefined;
  readonly interactive: boolean;
  /** Whether this process is in the background, and another one waits for the start. */
  readonly isInBackground: boolean;
}

/** Makes the container of this process reachable by other commands. */
export class OwningWitness implements Witness {
  readonly #owned: Owned;
  #owner: Owner | undefined;

  constructor(owned: Owned) {
    this.#owned = owned;
  }

  async prepare(): Promise<void> {
    const { openOwner } = await import('./owner.ts');
    const { name, isInBackground } = this.#owned;
    try {
      this.#owner = await openOwner(process.env, name);
    } catch (error) {
      // A container in this terminal is of use alone, too.
      if (isInBackground || name !== undefined || !(error instanceof CommandError)) throw error;
      process.stderr.write(`linuxrun: other commands cannot reach this container: ${error.message}\n`);
    }
  }

  onContainer(container: StartedContainer): void {
    const owner = this.#owner;
    if (!owner) return;
    const { image, launch, kept } = container;
    owner.own(container, {
      ...detailsOf(launch, image.config),
      ...(kept && { id: hexId(kept.container.record), created: kept.container.record.created }),
      image: this.#owned.image ?? familiarName(image.reference),
      imageDigest: image.digest,
      ports: container.published,
      currentDir: container.currentDir,
      interactive: this.#owned.interactive,
      isKept: kept !== undefined,
    });
    if (this.#owned.isInBackground)
      container.started.then((is) => is && reportStart(owner.id)).catch(() => {});
  }

  onOutput(stream: OutputStream, bytes: Uint8Array): void {
    this.#owner?.show(stream, bytes);
  }

  async onEnd(): Promise<void> {
    await this.#owner?.end();
  }
}
