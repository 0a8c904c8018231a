import { fetchArchive } from '../../api/archive.ts';
import { browserHost } from '../../api/browser-host.ts';
import { loadingHere } from '../../api/browser-images.ts';
import { browserLibrary } from '../../api/browser-library.ts';
import { installHost, installLibrary } from '../../api/host.ts';
import * as images from '../../api/images.ts';
import * as containers from '../../api/kept-containers.ts';
import { saveImage } from '../../api/local-images.ts';
import { streamOf } from '../../streams/stream-of.ts';
import { linkOf } from '../model/kept-form.ts';
import { MANIFEST, MOST_BYTES, type Project, ProjectError } from '../model/project.ts';
import type { KeptItem, SessionFile, SessionPlace } from './messages.ts';
import { readArchive } from './project-archive.ts';
import { openSource } from './session-source.ts';

/** How long an archive may take to arrive, in ms. */
const FETCH_PATIENCE = 5 * 60_000;

/** The containers in the store, for the page. Errors cross to the page by their messages. */
export class KeptContainers {
  constructor() {
    installLibrary(browserLibrary);
  }

  /** For what runs a machine. @param base the URL of the page, ending in a slash */
  use(base: string): void {
    const places = { assets: base, server: base };
    installHost(browserHost(() => places, loadingHere(places)));
  }

  async list(): Promise<KeptItem[]> {
    const kept = await containers.list();
    return kept.map(({ name, image, created, lastUsed, usedBytes, status, saved, options }) => ({
      ...{ name, image, usedBytes, status, link: linkOf({ image, options }) },
      created: created.getTime(),
      lastUsed: lastUsed.getTime(),
      saved: saved?.getTime(),
    }));
  }

  rename(name: string, newName: string): Promise<void> {
    return containers.rename(name, newName);
  }

  duplicate(name: string, newName: string): Promise<void> {
    return containers.duplicate(name, newName);
  }

  remove(name: string): Promise<void> {
    return containers.remove(name);
  }

  /** Returns a tar of the files that have changed. */
  async exportChanges(name: string): Promise<Blob> {
    return new Response(await containers.export(name)).blob();
  }

  /** Returns an image of the container, as a layout in a tar. */
  async exportImage(name: string): Promise<Blob> {
    // No image of a registry has such a name.
    const reference = await containers.commit(name, `localhost/${imageName(name)}`);
    try {
      return await new Response(streamOf(piecesOf(reference))).blob();
    } finally {
      await images.remove(reference);
    }
  }

  /** Keeps a new container of an image, with changes that `exportChanges` has packed. */
  importChanges(name: string, image: string, changes: File): Promise<void> {
    return containers.import(name, image, changes.stream());
  }

  /** Reads the project in an archive, if it is one. Nothing of it runs. */
  readProject(archive: Blob): Promise<Project | undefined> {
    return readArchive(archive);
  }

  /** Fetches the project at an address. Nothing runs. @param server the URL of ours, ending in a slash */
  async fetchProject(url: string, server: string): Promise<Project> {
    const signal = AbortSignal.timeout(FETCH_PATIENCE);
    const options = { server, limit: MOST_BYTES, signal };
    const project = await readArchive(await fetchArchive(new URL(url), options));
    if (project) return project;
    throw new ProjectError(`there is no archive with a ${MANIFEST} in its outermost folder`);
  }

  /** Says what a file with a saved session holds. Only its beginning is read, and nothing of it runs. */
  async describe(place: SessionPlace): Promise<SessionFile> {
    const { stream, bytes, close } = await openSource(place);
    try {
      const { image, memoryBytes, cpus, command, saved } = await containers.describeSession(stream);
      return { image, memoryBytes, cpus, command, saved: saved.getTime(), bytes };
    } finally {
      close();
    }
  }
}

async function* piecesOf(reference: string): AsyncGenerator<Uint8Array, void> {
  yield* saveImage(reference);
}

/** Images have lower case, and no two marks beside each other. */
function imageName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/-$/, '');
}
