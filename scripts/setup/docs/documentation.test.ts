import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { INTERPRETERS } from '../../../src/docs/interpreters.ts';
import { createSearch } from '../../../src/docs/search.ts';
import { inProject } from '../places.mjs';
import { ensure } from '../step.mjs';
import { API_MODEL, types } from '../types.mjs';
import { writeDocumentation } from './documentation.mjs';
import { createHighlighter, pageOf, readFence, render, siteLink } from './markdown.mjs';
import { SECTIONS } from './navigation.mjs';
import { type Item, readComment, writeReference } from './reference.mjs';

const FRAME = { scripts: [], styles: [], fonts: [], policy: '', version: '1' };
const SOURCES = SECTIONS.flatMap(({ sources }) => sources);

describe('a page', () => {
  const pages = new Set(['index', 'page', 'contributing', 'data']);
  const write = async (text: string) => render(text, { pages, highlight: await createHighlighter() });

  it.each([
    ['docs/page.md', 'page.html'],
    ['page.md#links', 'page.html#links'],
    ['recipes/data.md', 'data.html'],
    ['../../README.md', 'index.html'],
    ['getting-started.md', 'index.html'],
    ['../CONTRIBUTING.md', 'contributing.html'],
    ['docs/pictures/picker.png', 'pictures/picker.png'],
    ['#links', '#links'],
    ['https://example.com/a.md', 'https://example.com/a.md'],
    ['src/app', undefined],
  ])('leads %s to %s', (href, target) => expect(siteLink(href, pages)).toBe(target));

  it('has the text below each heading for the search, without marks', async () => {
    const { title, passages } = await write(
      '# A & `b`\n\nOne *two*, `three`.\n\n## B\n\n<c>\n\n    four < 5\n',
    );
    expect(title).toBe('A & b');
    expect(passages).toEqual([
      { id: 'a--b', heading: 'A & b', text: 'One two, three.' },
      { id: 'b', heading: 'B', text: 'four < 5' },
    ]);
  });

  it('tells headings of the same words apart', async () => {
    const { html } = await write('# A\n\n## B\n\n## B\n');
    expect([...html.matchAll(/<h2 id="([^"]*)"/g)].map(([, id]) => id)).toEqual(['b', 'b-1']);
  });

  it('colours code, and escapes it', async () => {
    const { html } = await write('```ts\nconst a = "<b>";\n```\n');
    expect(html).toContain('--code-token-keyword');
    expect(html).not.toContain('<b>');
  });

  it('has no heading without words in a table', async () => {
    const { html } = await write('| a | |\n|---|---|\n| b | c |\n');
    expect(html).toContain('<thead><tr><th>a</th><td></td></tr></thead>');
    expect((await write('| | |\n|---|---|\n| b | c |\n')).html).not.toContain('<thead>');
  });

  it('marks blocks that readers can run', async () => {
    expect(readFence('python run image=python:alpine')).toEqual({
      language: 'python',
      runs: true,
      attributes: { image: 'python:alpine' },
    });
    const { html } = await write('```sh run image="x\nuname\n```\n');
    expect(html).toContain('<div class="runnable" data-language="sh" data-image="&quot;x">');
    expect((await write('```sh\nuname\n```\n')).html).not.toContain('runnable');
  });
});

it('reads the text and the blocks of a comment', () => {
  const comment = '/**\n * One\n * two.\n *\n * @throws\n *\n * this or\n *  that\n *\n * @internal\n */\n';
  expect(readComment(comment)).toEqual({
    summary: 'One\ntwo.',
    blocks: [{ tag: 'throws', body: 'this or that' }],
  });
});

describe('the documentation', () => {
  let files: Map<string, string>;
  let model: Item;
  beforeAll(async () => {
    await ensure(types);
    model = JSON.parse(await readFile(inProject(API_MODEL), 'utf8'));
    files = await writeDocumentation(FRAME, model);
  });
  const pages = () => [...files].filter(([name]) => name.endsWith('.html'));

  it('has every page of docs/ in its menu, once', async () => {
    const entries = await readdir(inProject('docs'), { recursive: true });
    const docs = entries.filter((name) => name.endsWith('.md')).map((name) => join('docs', name));
    expect([...SOURCES].sort()).toEqual([...docs, 'CONTRIBUTING.md', 'SECURITY.md'].sort());
    expect(new Set(SOURCES.map(pageOf)).size).toBe(SOURCES.length);
  });

  it('has no link that leads nowhere', async () => {
    const pictures = await readdir(inProject('docs/pictures'));
    for (const [name, html] of pages()) {
      for (const [, target = '', fragment] of html.matchAll(/href="([\w.-]*\.html|)(?:#([^"]*))?"/g)) {
        const page = target === '' ? name : target;
        expect(files.has(page), `${name} → ${page}`).toBe(true);
        if (fragment) expect(files.get(page), `${name} → ${page}#${fragment}`).toContain(`id="${fragment}"`);
      }
      for (const [, picture = ''] of html.matchAll(/src="pictures\/([^"]*)"/g))
        expect(pictures, name).toContain(picture);
    }
  });

  it('leads from each page to the next one, and back', () => {
    const neighbours = (rel: string) =>
      new Map(
        pages().map(([name, html]) => [name, new RegExp(`rel="${rel}" href="([^"]*)"`).exec(html)?.[1]]),
      );
    const [next, previous] = [neighbours('next'), neighbours('prev')];
    let page: string | undefined = 'index.html';
    const seen: string[] = [];
    for (; page; page = next.get(page)) {
      expect(previous.get(page)).toBe(seen.at(-1));
      seen.push(page);
    }
    expect([...seen].sort()).toEqual(
      pages()
        .map(([name]) => name)
        .sort(),
    );
    expect(seen.filter((name) => !name.startsWith('api-'))).toEqual(
      SOURCES.map((source) => `${pageOf(source)}.html`),
    );
  });

  it('explains each name of the programming interface, and links its types', () => {
    const text = writeReference(model)
      .map(({ text }) => text)
      .join('\n');
    for (const { name = '' } of model.members?.[0]?.members ?? [])
      expect(text).toMatch(new RegExp(`^#{1,2} ${name}(\\(\\))?$`, 'm'));
    expect(files.get('api-command.html')).toContain('href="api-child.html"');
    expect(files.get('api-child.html')).toContain('href="api-types.html#output"');
    expect(files.get('api-child.html')).toContain('id="wait"');
    expect(text).toContain("# images\n\n```ts\nimport { images } from 'linuxrun';");
    expect(text).not.toContain('\n```ts\n\n```');
  });

  it('has an interpreter for each block that can be run', () => {
    const blocks = pages().flatMap(([, html]) => [
      ...html.matchAll(/class="runnable" data-language="(\w+)"/g),
    ]);
    expect(new Set(blocks.map(([, language]) => language))).toEqual(new Set(Object.keys(INTERPRETERS)));
  });

  it('asks for nothing from elsewhere', () => {
    for (const [name, html] of pages())
      expect(html, name).not.toMatch(/(src|<link[^>]*href)="(https?:)?\/\//);
  });

  it.each([
    ['preview', 'previews.html'],
    ['seccomp filter', 'containers.html'],
    ['LINUXRUN_TRUST_PROXY', 'server.html'],
    ['vulnerabilty', 'security.html'],
    ['EROFS', 'disk.html'],
    ['waitWithOutput', 'api-child.html'],
  ])('finds %s in %s', (query, page) => {
    const search = createSearch(JSON.parse(files.get('search.json') ?? ''));
    const hits = search(query);
    expect(hits.map(({ href }) => href.replace(/#.*/, ''))).toContain(page);
    for (const { href } of hits) {
      const [name = '', id] = href.split('#', 2);
      expect(files.get(name)).toContain(id === undefined ? '' : `id="${id}"`);
    }
  });
});
