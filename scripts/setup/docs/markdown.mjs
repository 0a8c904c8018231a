/** Renders the Markdown of the documentation, with highlighted code. */
import { basename } from 'node:path';
import { escapeHtml } from '../plain-page.mjs';
import { FIRST } from './navigation.mjs';
import { slugOf } from './slug.mjs';

/** What readers find by the search: a heading with the text up to the next one. */
/** @typedef {{ id: string, heading: string, text: string }} Passage */
/** @typedef {{ id: string, html: string, depth: number }} Heading */
/** @typedef {{ title: string, html: string, headings: Heading[], passages: Passage[] }} Rendered */
/** @typedef {(code: string, language: string) => string} Highlighter */

const LANGUAGES = [
  ...['c', 'css', 'docker', 'html', 'ini', 'javascript', 'json', 'python', 'shellscript', 'tsx'],
  ...['typescript', 'vue', 'yaml'],
];

/** The readers of the site have the first page in place of the README. */
const FIRST_NAMES = [basename(FIRST), 'README.md'];

/** @param {string} source the path of a Markdown file @returns the name of its page */
export const pageOf = (source) =>
  FIRST_NAMES.includes(basename(source)) ? 'index' : basename(source, '.md').toLowerCase();

/**
 * Leads links and pictures of the repository's files to their places in the site.
 * @param {string} href
 * @param {ReadonlySet<string>} pages
 */
export function siteLink(href, pages) {
  if (/^([a-z]+:|#)/i.test(href)) return href;
  const [path = '', fragment] = href.split('#', 2);
  if (path.includes('pictures/')) return path.slice(path.indexOf('pictures/'));
  if (basename(path) === 'LICENSE') return '../licences.html';
  const page = path.endsWith('.md') ? pageOf(path) : '';
  // The site has no page for folders and sources.
  if (!pages.has(page)) return undefined;
  return `${page}.html${fragment === undefined ? '' : `#${fragment}`}`;
}

/** @type {Readonly<Record<string, string>>} */
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"' };

/** @param {string} name such as `lt`, `#39` or `#x27` */
const decodeEntity = (name) =>
  name.startsWith('#') ? String.fromCodePoint(Number(`0${name.slice(1)}`)) : ENTITIES[name];

/** @param {string} html */
const plainText = (html) =>
  html
    .replace(/<\/?(a|code|em|span|strong)\b[^>]*>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(#x[\da-f]+|#\d+|\w+);/gi, (whole, name) => decodeEntity(name) ?? whole)
    .replace(/\s+/g, ' ')
    .trim();

/** @returns {Promise<Highlighter>} which colours code by custom properties, so that it follows the theme */
export async function createHighlighter() {
  // The set-up reads this file before it has installed any package.
  const [{ createCssVariablesTheme, createHighlighter }, { createJavaScriptRegexEngine }] = await Promise.all(
    [import('shiki'), import('shiki/engine/javascript')],
  );
  const shiki = await createHighlighter({
    themes: [createCssVariablesTheme({ name: 'linuxrun', variablePrefix: '--code-' })],
    langs: LANGUAGES,
    engine: createJavaScriptRegexEngine(),
  });
  const known = new Set(shiki.getLoadedLanguages());
  return (code, language) =>
    shiki.codeToHtml(code, {
      lang: known.has(language) ? language : 'text',
      theme: 'linuxrun',
      // By default the rest of a block has no colours where a slow machine takes half a second.
      tokenizeTimeLimit: 0,
    });
}

/**
 * A fence with the words `python run image=python:alpine` is a block that readers can run, with an image.
 * @param {string} info
 */
export function readFence(info) {
  const [language = '', ...words] = info.split(' ');
  const attributes = Object.fromEntries(
    words.filter((word) => word.includes('=')).map((word) => word.split(/=(.*)/, 2)),
  );
  return { language, runs: words.includes('run'), attributes };
}

/** @param {string} html of the code @param {Record<string, string>} attributes */
function writeRunnable(html, attributes) {
  const data = Object.entries(attributes).map(([name, value]) => ` data-${name}="${escapeHtml(value)}"`);
  return `<div class="runnable"${data.join('')}>${html}</div>\n`;
}

/**
 * @param {string} text Markdown
 * @param {{ pages: ReadonlySet<string>, highlight: Highlighter }} site
 * @returns {Promise<Rendered>}
 */
export async function render(text, { pages, highlight }) {
  const { Marked } = await import('marked');
  /** @type {Heading[]} */
  const headings = [];
  /** @type {Passage[]} */
  const passages = [];
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }) {
        const html = this.parser.parseInline(tokens);
        const id = uniqueSlug(plainText(html), headings);
        headings.push({ id, html: html.replace(/<\/?a\b[^>]*>/g, ''), depth });
        const anchor = `<a class="anchor" href="#${id}" aria-label="Link to this section">#</a>`;
        return `<h${depth} id="${id}">${html}${depth > 1 ? anchor : ''}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        const target = siteLink(href, pages);
        return target === undefined ? text : `<a href="${escapeHtml(target)}">${text}</a>`;
      },
      image({ href, text }) {
        return `<img src="${escapeHtml(siteLink(href, pages) ?? href)}" alt="${escapeHtml(text)}" />`;
      },
      code({ text, lang = '' }) {
        const { language, runs, attributes } = readFence(lang);
        const html = highlight(text, language);
        // The output of the block above.
        if (language === 'text') return `<div class="output">${html}</div>\n`;
        return runs ? writeRunnable(html, { language, ...attributes }) : `${html}\n`;
      },
      table({ header, rows }) {
        const cell = (/** @type {string} */ tag, /** @type {typeof header[number]} */ { tokens }) =>
          `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`;
        // Screen readers stumble over headings without words.
        const heads = header.map((each) => cell(each.text === '' ? 'td' : 'th', each)).join('');
        // A heading row without words is only Markdown's grammar.
        const head = header.some(({ text }) => text !== '') ? `<thead><tr>${heads}</tr></thead>` : '';
        const body = rows.map((row) => `<tr>${row.map((each) => cell('td', each)).join('')}</tr>`).join('\n');
        return `<div class="table" tabindex="0"><table>${head}<tbody>${body}</tbody></table></div>\n`;
      },
    },
  });
  const html = await marked.parse(text);
  for (const part of html.split(/(?=<h[1-3] id=")/)) {
    const [, id = '', heading = ''] = /^<h[1-3] id="([^"]*)">(.*?)(?:<a class="anchor|<\/h)/.exec(part) ?? [];
    const body = plainText(part.replace(/^<h[1-3].*?<\/h[1-3]>/, ''));
    if (id !== '' || body !== '') passages.push({ id, heading: plainText(heading), text: body });
  }
  return { title: passages[0]?.heading ?? '', html, headings, passages };
}

/** @param {string} heading @param {readonly Heading[]} earlier */
function uniqueSlug(heading, earlier) {
  const slug = slugOf(heading);
  const taken = (/** @type {string} */ id) => earlier.some((other) => other.id === id);
  for (let count = 0; ; count++) {
    const id = count === 0 ? slug : `${slug}-${count}`;
    if (!taken(id)) return id;
  }
}
