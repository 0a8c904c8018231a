/** Makes the pages of the documentation, and the text that its search reads. */
import { readFile } from 'node:fs/promises';
import { inProject } from '../places.mjs';
import { writeDocument } from './layout.mjs';
import { createHighlighter, pageOf, render } from './markdown.mjs';
import { BEFORE_REFERENCE, REFERENCE, SECTIONS } from './navigation.mjs';
import { writeReference } from './reference.mjs';

/** @typedef {import('./layout.mjs').Frame} Frame */
/** What `search.json` holds: a passage and its page. */
/** @typedef {import('./markdown.mjs').Passage & { page: string, title: string }} Found */
/** @typedef {{ title: string, pages: { name: string, text: string }[] }} Section its pages in Markdown */

/** @param {string} source */
const readPage = async (source) => ({
  name: pageOf(source),
  text: await readFile(inProject(source), 'utf8'),
});

/** @param {import('./reference.mjs').Item} model @returns {Promise<Section[]>} */
async function readSections(model) {
  const sections = await Promise.all(
    SECTIONS.map(async ({ title, sources }) => ({ title, pages: await Promise.all(sources.map(readPage)) })),
  );
  const place = sections.findIndex(({ title }) => title === BEFORE_REFERENCE) + 1;
  return sections.toSpliced(place, 0, { title: REFERENCE, pages: writeReference(model) });
}

/**
 * @param {Frame} frame
 * @param {import('./reference.mjs').Item} model of the programming interface
 * @returns {Promise<Map<string, string>>} the content of each file by its name in `docs/`
 */
export async function writeDocumentation(frame, model) {
  const sections = await readSections(model);
  const pages = sections.flatMap(({ pages }) => pages);
  const site = { pages: new Set(pages.map(({ name }) => name)), highlight: await createHighlighter() };
  /** @type {Map<string, import('./markdown.mjs').Rendered>} */
  const rendered = new Map();
  for (const { name, text } of pages) rendered.set(name, await render(text, site));
  const titleOf = (/** @type {string} */ name) => rendered.get(name)?.title ?? '';
  const menu = sections.map(({ title, pages }) => ({
    title,
    entries: pages.map(({ name }) => ({ name, title: titleOf(name) })),
  }));
  const files = new Map();
  for (const [name, page] of rendered)
    files.set(`${name}.html`, writeDocument({ name, ...page }, menu, frame));
  const found = [...rendered].flatMap(([page, { title, passages }]) =>
    passages.map((passage) => ({ page, title, ...passage })),
  );
  return files.set('search.json', JSON.stringify(found));
}
