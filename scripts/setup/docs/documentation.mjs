/** Makes the pages of the documentation, and the text that its search reads. */
import { readFile } from 'node:fs/promises';
import { inProject } from '../places.mjs';
import { writeDocument } from './layout.mjs';
import { createHighlighter, pageOf, render } from './markdown.mjs';
import { SECTIONS } from './navigation.mjs';

/** @typedef {import('./layout.mjs').Frame} Frame */
/** What `search.json` holds: a passage and its page. */
/** @typedef {import('./markdown.mjs').Passage & { page: string, title: string }} Found */

/**
 * @param {Frame} frame
 * @returns {Promise<Map<string, string>>} the content of each file by its name in `docs/`
 */
export async function writeDocumentation(frame) {
  const sources = SECTIONS.flatMap(({ sources }) => sources);
  const site = { pages: new Set(sources.map(pageOf)), highlight: await createHighlighter() };
  /** @type {Map<string, import('./markdown.mjs').Rendered>} */
  const rendered = new Map();
  for (const source of sources)
    rendered.set(pageOf(source), await render(await readFile(inProject(source), 'utf8'), site));
  const titleOf = (/** @type {string} */ name) => rendered.get(name)?.title ?? '';
  const sections = SECTIONS.map(({ title, sources }) => ({
    title,
    entries: sources.map(pageOf).map((name) => ({ name, title: titleOf(name) })),
  }));
  const files = new Map();
  for (const [name, page] of rendered)
    files.set(`${name}.html`, writeDocument({ name, ...page }, sections, frame));
  const found = [...rendered].flatMap(([page, { title, passages }]) =>
    passages.map((passage) => ({ page, title, ...passage })),
  );
  return files.set('search.json', JSON.stringify(found));
}
