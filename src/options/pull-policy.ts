import { OptionError } from './option-error.mjs';

const POLICIES: readonly PullPolicy[] = ['always', 'missing', 'never'];

/** When the source of an image is asked: always, unless the image is stored, or never. */
export type PullPolicy = 'always' | 'missing' | 'never';

/** @throws OptionError */
export function parsePullPolicy(text: string): PullPolicy {
  const policy = POLICIES.find((each) => each === text);
  if (!policy) throw new OptionError(`it must be one of ${POLICIES.join(', ')}`);
  return policy;
}
