/** The places in a terminal where a text was found. */
export interface Matches {
  readonly count: number;
  /** The index of the selected one, or -1. */
  readonly selected: number;
}

/** Further matches are not counted, because each one is a decoration that costs time. */
export const MOST_MATCHES = 1000;

/** @returns text such as `3 of 17`, `Not found` */
export function describeMatches({ count, selected }: Matches): string {
  if (count === 0) return 'Not found';
  const total = count < MOST_MATCHES ? `${count}` : `${MOST_MATCHES} or more`;
  return selected < 0 ? total : `${selected + 1} of ${total}`;
}
