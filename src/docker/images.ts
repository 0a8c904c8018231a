/** Images as `docker images` and `docker inspect` show them. */
import type { ImageConfig } from '../oci/image.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import { findById } from './find.ts';
import { formatBytes, formatDuration, formatList, type Row, shortId } from './format.ts';
import type { ImagesWords } from './words.ts';

/** An image in the store. */
export interface ImageInfo {
  /** The canonical reference. */
  readonly reference: string;
  readonly digest: string;
  readonly size: number;
}

export interface ListedImage extends ImageInfo {
  readonly lastUsed: Date;
}

export interface InspectedImage extends ImageInfo {
  readonly config: ImageConfig;
  readonly layers: readonly string[];
}

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
const NONE = '<none>';
/** A shorter one is rather a wrong name. */
const SHORTEST_ID = 4;

/** @throws DockerError if the template is wrong */
export function formatImages(images: readonly ListedImage[], words: ImagesWords): string {
  const isMeant = ({ Repository, Tag }: Row) =>
    [undefined, Repository, `${Repository}:${Tag}`].includes(words.image);
  const now = Date.now();
  const rows = images.map((image) => rowOf(image, words.noTrunc, now)).filter(isMeant);
  return formatList(rows, words, words.digests ? COLUMNS_WITH_DIGESTS : COLUMNS);
}

function rowOf({ reference, digest, size, lastUsed }: ListedImage, noTrunc: boolean, now: number) {
  const { repository, tag } = nameOf(reference);
  return {
    Repository: repository,
    Tag: tag,
    Digest: digest,
    ID: noTrunc ? digest : shortId(hexOf(digest)),
    LastUsed: `${formatDuration(now - lastUsed.getTime())} ago`,
    Size: formatBytes(size),
  };
}

/** Describes an image in the shape of Docker's. */
export function describeImage({ reference, digest, config, layers, size }: InspectedImage): Row {
  const { repository, tag } = nameOf(reference);
  return {
    Id: digest,
    RepoTags: tag === NONE ? [] : [`${repository}:${tag}`],
    RepoDigests: [`${repository}@${digest}`],
    Architecture: config.architecture,
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

/** Finds the image whose ID begins with a text. @throws DockerError if there is none, or more than one */
export function findImageById<T extends ImageInfo>(images: readonly T[], text: string): T {
  const isLong = hexOf(text).length >= SHORTEST_ID;
  // A text may begin with the digest's algorithm.
  const idOf = ({ digest }: T) => (text === hexOf(text) ? hexOf(digest) : digest);
  return findById('image', isLong ? images : [], text, idOf);
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

/** A canonical reference as users of Docker write it. */
export function familiarName(canonical: string): string {
  const { repository, tag } = nameOf(canonical);
  return tag === NONE || tag === 'latest' ? repository : `${repository}:${tag}`;
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, '');
}
