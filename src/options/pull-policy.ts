import { OptionError } from './option-error.mjs';

const POLICIES = ['always', 'missing', 'never'] as const;

/** When the source of an image is asked: always, unless the image is stored, or never. */
export type PullPolicy = (typeof POLICIES)[number];

/** @throws OptionError */
export function parsePullPolicy(text: string): PullPolicy {
  const policy = POLICIES.find((each) => each === text);
  if (!policy) throw new OptionError(`it must be one of ${POLICIES.join(', ')}`);
  return policy;
}
