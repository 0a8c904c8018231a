/** What `docker ps`, `images` and `inspect` show of this process's containers and of the store. */
import type { ImagesWords, InspectWords, PsWords } from '../docker/docker.ts';
import {
  formatBytes,
  formatDuration,
  formatObject,
  formatRows,
  formatTime,
  type Row,
} from '../docker/format.ts';
import { quoteWord } from '../options/words.mjs';
import { type DockerContainer, findContainer, runningContainers } from './docker-containers.ts';
import * as images from './images.ts';
import { formatReference, parseReference } from './references.ts';

const SHORT_ID = 12;
const CONTAINER_COLUMNS = {
  'CONTAINER ID': 'ID',
  IMAGE: 'Image',
  COMMAND: 'Command',
  CREATED: 'RunningFor',
  STATUS: 'Status',
  PORTS: 'Ports',
  NAMES: 'Names',
};
const IMAGE_COLUMNS = { REPOSITORY: 'Repository', TAG: 'Tag', 'IMAGE ID': 'ID', SIZE: 'Size' };

/** @throws DockerError if the template is wrong */
export function listContainers({ quiet, noTrunc, format }: PsWords): string {
  const rows = runningContainers().map((container) => rowOf(container, noTrunc));
  return formatRows(rows, quiet ? (format ?? '{{.ID}}') : format, CONTAINER_COLUMNS);
}

function rowOf({ id, name, created, words, container }: DockerContainer, noTrunc: boolean): Row {
  const age = formatDuration(Date.now() - created.getTime());
  const ports = container.published.map(
    ({ address, host, container }) => `${address}:${host}->${container}/tcp`,
  );
  return {
    ID: noTrunc ? id : id.slice(0, SHORT_ID),
    Image: words.image,
    Command: `"${[...(words.entrypoint ?? []), ...(words.args ?? [])].map(quoteWord).join(' ')}"`,
    CreatedAt: formatTime(created.getTime()),
    RunningFor: `${age} ago`,
    Status: `Up ${age}`,
    State: 'running',
    Ports: ports.join(', '),
    Names: name,
  };
}

/** @throws DockerError if the template is wrong; StorageError */
export async function listImages({ image, quiet, noTrunc, format }: ImagesWords): Promise<string> {
  const rows = (await images.list()).map(({ reference, digest, size }): Row => {
    const hex = digest.replace(/^sha256:/, '');
    const id = noTrunc ? digest : hex.slice(0, SHORT_ID);
    return { ...nameOf(reference), Digest: digest, ID: id, Size: formatBytes(size) };
  });
  const isMeant = ({ Repository, Tag }: Row) =>
    [undefined, Repository, `${Repository}:${Tag}`].includes(image);
  return formatRows(rows.filter(isMeant), quiet ? (format ?? '{{.ID}}') : format, IMAGE_COLUMNS);
}

/** As users of Docker write it. */
function nameOf(canonical: string): { Repository: string; Tag: string } {
  const reference = parseReference(canonical);
  if (reference.scheme !== 'docker')
    return {
      Repository: formatReference({ ...reference, image: {} }),
      Tag: reference.image.name ?? '<none>',
    };
  const { registry, repository, tag = '<none>' } = reference;
  const isHub = registry === 'docker.io';
  return { Repository: isHub ? repository.replace(/^library\//, '') : `${registry}/${repository}`, Tag: tag };
}

/** @throws DockerError if there is no such container; ImageError if there is no such image */
export async function inspect({ names, format, type }: InspectWords): Promise<string> {
  const objects: Row[] = [];
  for (const name of names) objects.push(type === 'image' ? await ofImage(name) : ofContainer(name));
  if (format === undefined) return `${JSON.stringify(objects, undefined, 4)}\n`;
  return objects.map((object) => formatObject(object, format)).join('');
}

function ofContainer(text: string): Row {
  const { id, name, created, words, container } = findContainer(text);
  return {
    Id: id,
    Name: `/${name}`,
    Created: created.toISOString(),
    State: { Status: 'running', Running: true },
    Config: { Image: words.image, WorkingDir: container.currentDir, Tty: words.tty },
  };
}

async function ofImage(name: string): Promise<Row> {
  const { reference, digest, config, layers, size } = await images.inspect(name, { policy: 'never' });
  return {
    Id: digest,
    RepoTags: [reference],
    Size: size,
    Config: {
      Env: config.env,
      Entrypoint: config.entrypoint,
      Cmd: config.cmd,
      WorkingDir: config.workingDir,
    },
    RootFS: { Type: 'layers', Layers: layers },
  };
}
