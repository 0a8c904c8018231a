import MiniSearch from 'minisearch';

/** A section of a page of the documentation, as the build writes it in `search.json`. */
export interface Passage {
  readonly page: string;
  readonly title: string;
  readonly id: string;
  readonly heading: string;
  readonly text: string;
}

export interface Hit {
  readonly href: string;
  readonly title: string;
  readonly heading: string;
  /** A piece of the text around the first word that was found. */
  readonly excerpt: string;
}

export type Search = (query: string) => Hit[];

const LIMIT = 12;
const EXCERPT = 140;

export function createSearch(passages: readonly Passage[]): Search {
  const index = new MiniSearch<Passage & { key: number }>({
    idField: 'key',
    fields: ['title', 'heading', 'text'],
    searchOptions: {
      boost: { heading: 4, title: 2 },
      prefix: true,
      fuzzy: (term) => (term.length > 4 ? 0.2 : false),
      combineWith: 'AND',
    },
  });
  index.addAll(passages.map((passage, key) => ({ key, ...passage })));
  return (query) =>
    index
      .search(query)
      .slice(0, LIMIT)
      .flatMap(({ id, terms }) => {
        const passage = passages[id];
        return passage ? [hitOf(passage, terms)] : [];
      });
}

function hitOf({ page, title, id, heading, text }: Passage, terms: readonly string[]): Hit {
  const href = `${page}.html${id === '' ? '' : `#${id}`}`;
  return { href, title, heading, excerpt: excerptOf(text, terms) };
}

function excerptOf(text: string, terms: readonly string[]): string {
  const lower = text.toLowerCase();
  const places = terms.map((term) => lower.indexOf(term)).filter((place) => place >= 0);
  const first = Math.min(...places, text.length) - EXCERPT / 3;
  const start = places.length === 0 || first <= 0 ? 0 : text.indexOf(' ', first) + 1;
  const rest = text.slice(start);
  if (rest.length <= EXCERPT) return `${start > 0 ? '… ' : ''}${rest}`;
  const end = rest.lastIndexOf(' ', EXCERPT);
  return `${start > 0 ? '… ' : ''}${rest.slice(0, end > 0 ? end : EXCERPT)} …`;
}
