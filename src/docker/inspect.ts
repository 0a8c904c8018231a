import { DockerError, NotFoundError } from './errors.ts';
import { formatObject, type Row } from './format.ts';
import type { InspectWords } from './words.ts';

/** Describe a container or an image of a name. @throws NotFoundError; DockerError if it could be several */
export interface Describers {
  container(name: string): Promise<Row>;
  image(name: string): Promise<Row>;
}

/** What a command prints, and the reasons why it could not do all that it was asked to do. */
export interface Report {
  readonly output: string;
  readonly problems: readonly string[];
}

/** Carries out `docker inspect`. @throws DockerError if the template is wrong */
export async function inspect(words: InspectWords, describers: Describers): Promise<Report> {
  const objects: Row[] = [];
  const problems: string[] = [];
  for (const name of words.names) {
    try {
      objects.push(await describe(name, words.type, describers));
    } catch (error) {
      if (!(error instanceof DockerError)) throw error;
      problems.push(error.message);
    }
  }
  return { output: show(objects, words.format), problems };
}

async function describe(name: string, type: InspectWords['type'], describers: Describers): Promise<Row> {
  if (type) return describers[type](name);
  for (const kind of ['container', 'image'] as const) {
    try {
      return await describers[kind](name);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }
  throw new NotFoundError('object', name);
}

function show(objects: readonly Row[], format: string | undefined): string {
  if (format === undefined) return `${JSON.stringify(objects, undefined, 4)}\n`;
  return objects.map((object) => formatObject(object, format)).join('');
}
