import { DockerError, type Kind, NotFoundError } from './errors.ts';

/** Whether a text can be an ID, or the beginning of one. */
export function isId(text: string): boolean {
  return /^(?:sha256:)?[0-9a-f]+$/.test(text);
}

/**
 * Finds the object that has the ID, or whose ID begins with it.
 * @throws DockerError if there is none, or more than one
 */
export function findById<T>(
  kind: Kind,
  objects: readonly T[],
  beginning: string,
  idOf: (object: T) => string,
): T {
  const matches = objects.filter((object) => idOf(object).startsWith(beginning));
  const [first, second] = isId(beginning) ? matches : [];
  if (!first) throw new NotFoundError(kind, beginning);
  if (second)
    throw new DockerError(`several ${kind}s have an ID that begins with ${beginning}: write more of it`, 1);
  return first;
}
