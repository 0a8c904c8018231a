/** Finds tags like one that has no image for our machine. */

/** Words for distributions that are published for riscv64, the most likely ones first. */
const SUPPORTED = ['trixie', 'alpine', 'sid', 'noble', 'edge', 'forky'];
/** Words for distributions, perhaps with a version behind them. */
const DISTRIBUTION =
  /^(?:alpine|trixie|bookworm|bullseye|buster|sid|forky|noble|jammy|focal|bionic|plucky|edge)\d*$/;

/**
 * Returns the tags of a repository that are most like one, the most likely to be published for riscv64 first.
 * A tag of the same distribution is not: what is missing is usually missing for all of its tags.
 */
export function rankTags(tags: readonly string[], wanted: string, count: number): string[] {
  const words = wordsOf(wanted);
  const ranked = tags
    .filter((tag) => tag !== wanted && !/^sha256-|\.(sig|att|sbom)$/.test(tag))
    .map((tag) => ({ tag, likeness: likeness(wordsOf(tag), words) }));
  ranked.sort((a, b) => b.likeness - a.likeness || a.tag.length - b.tag.length || compare(a.tag, b.tag));
  return ranked.slice(0, count).map(({ tag }) => tag);
}

function likeness(words: readonly string[], wanted: readonly string[]): number {
  let same = 0;
  while (same < wanted.length && words[same] === wanted[same]) same++;
  const isDistribution = (word: string) => DISTRIBUTION.test(word);
  const shared = words.filter((word) => wanted.includes(word));
  const support = SUPPORTED.findIndex((name) => words.some((word) => word.startsWith(name)));
  return (
    4 * same +
    2 * shared.length -
    8 * shared.filter(isDistribution).length -
    words.filter((word) => !wanted.includes(word) && !isDistribution(word)).length +
    (support < 0 ? 0 : 4 - support / 4)
  );
}

/** Divides `3.12-alpine3.20` into `3`, `12`, `alpine3`, `20`. */
function wordsOf(tag: string): string[] {
  return tag.toLowerCase().split(/[-._]+/);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
