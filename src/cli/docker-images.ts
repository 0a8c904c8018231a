/** `linuxrun pull`, `images` and `rmi`. */

import { ImageError } from '../api/errors.ts';
import { images, type StoredImage } from '../api/node.ts';
import { nodeImageNames } from '../api/node-image-names.ts';
import { formatReference, parseReference } from '../api/references.ts';
import type { ImagesWords, PullWords, RmiWords } from '../docker/docker.ts';
import { formatBytes, formatDuration, formatRows, type Row } from '../docker/format.ts';
import { CommandError } from './errors.ts';
import { showLoadingImage } from './image.ts';
import { imageStore } from './places.ts';
import { PUBLIC, write } from './program.ts';
import { readOptions } from './run-options.mjs';

const COLUMNS = {
  REPOSITORY: 'Repository',
  TAG: 'Tag',
  'IMAGE ID': 'ID',
  'LAST USED': 'LastUsed',
  SIZE: 'Size',
};
const COLUMNS_WITH_DIGESTS = {
  REPOSITORY: 'Repository',
  TAG: 'Tag',
  DIGEST: 'Digest',
  'IMAGE ID': 'ID',
  'LAST USED': 'LastUsed',
  SIZE: 'Size',
};
const SHORT_ID = 12;
const NONE = '<none>';

export async function dockerPull({ image, quiet }: PullWords): Promise<number> {
  const { credentials, mirror } = readOptions(process.env, PUBLIC);
  const pulled = await showLoadingImage({
    reference: image,
    store: imageStore(process.env),
    assets: PUBLIC,
    credentials,
    mirror,
    policy: 'always',
    showsProgress: !quiet,
    signal: new AbortController().signal,
  });
  await pulled.release();
  await write(process.stdout, `${pulled.reference}\n`);
  return 0;
}

export async function dockerImages(words: ImagesWords): Promise<number> {
  const { image, quiet, noTrunc, digests, format } = words;
  const stored = (await images.list()).map((each) => ({ ...each, ...nameOf(each.reference) }));
  const shown = stored.filter(
    ({ repository, tag }) => image === undefined || image === repository || image === `${repository}:${tag}`,
  );
  const rows = shown.map(({ repository, tag, digest, size, lastUsed }): Row => {
    const id = noTrunc ? digest : shortId(digest);
    const used = `${formatDuration(Date.now() - lastUsed.getTime())} ago`;
    return {
      Repository: repository,
      Tag: tag,
      Digest: digest,
      ID: id,
      LastUsed: used,
      Size: formatBytes(size),
    };
  });
  const columns = digests ? COLUMNS_WITH_DIGESTS : COLUMNS;
  await write(process.stdout, formatRows(rows, quiet && format === undefined ? '{{.ID}}' : format, columns));
  return 0;
}

export async function dockerRmi({ images: names, force }: RmiWords): Promise<number> {
  let status = 0;
  for (const name of names) {
    try {
      const { reference, digest } = await findImage(name);
      await images.remove(reference);
      await write(process.stdout, `Untagged: ${reference}\nDeleted: ${digest}\n`);
    } catch (error) {
      if (force && error instanceof CommandError) continue;
      process.stderr.write(`linuxrun: ${(error as Error).message}\n`);
      status = 1;
    }
  }
  return status;
}

/** Describes a stored image in the shape of Docker's. */
export async function describeImage(name: string): Promise<Row | undefined> {
  const found = await findImage(name).catch((error) => {
    if (error instanceof CommandError) return undefined;
    throw error;
  });
  if (!found) return undefined;
  const { reference, digest, config, layers, size } = await images.inspect(found.reference, {
    policy: 'never',
  });
  const { repository, tag } = nameOf(reference);
  return {
    Id: digest,
    RepoTags: tag === NONE ? [] : [`${repository}:${tag}`],
    RepoDigests: [`${repository}@${digest}`],
    Architecture: 'riscv64',
    Os: 'linux',
    Size: size,
    Config: {
      User: config.user,
      ExposedPorts: Object.fromEntries(config.exposedPorts.map((port) => [port, {}])),
      Env: config.env,
      Entrypoint: config.entrypoint,
      Cmd: config.cmd,
      Volumes: Object.fromEntries(config.volumes.map((volume) => [volume, {}])),
      WorkingDir: config.workingDir,
      Labels: config.labels,
      StopSignal: config.stopSignal,
    },
    RootFS: { Type: 'layers', Layers: layers },
  };
}

/** Finds a stored image by its name, or by the beginning of its ID. @throws CommandError */
async function findImage(name: string): Promise<StoredImage> {
  const stored = await images.list();
  const isId = /^(?:sha256:)?[0-9a-f]{4,64}$/.test(name);
  const byId = isId ? stored.filter(({ digest }) => hexOf(digest).startsWith(hexOf(name))) : [];
  const named = stored.find(({ reference }) => reference === canonical(name));
  const [first, second] = named ? [named] : byId;
  if (!first) throw new CommandError(`No such image: ${name}`);
  if (second) throw new CommandError(`several images have an ID that begins with ${name}: write more of it`);
  return first;
}

function canonical(name: string): string | undefined {
  try {
    return nodeImageNames.nameOf(name);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** The name and the tag of an image, as users of Docker write them. */
function nameOf(canonical: string): { repository: string; tag: string } {
  const reference = parseReference(canonical);
  if (reference.scheme !== 'docker') {
    const repository = formatReference({ ...reference, image: {} });
    return { repository, tag: reference.image.name ?? NONE };
  }
  const { registry, repository, tag = NONE } = reference;
  const isHub = registry === 'docker.io';
  return { repository: isHub ? repository.replace(/^library\//, '') : `${registry}/${repository}`, tag };
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, '');
}

function shortId(digest: string): string {
  return hexOf(digest).slice(0, SHORT_ID);
}
