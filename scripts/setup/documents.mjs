/** Makes the site's pages of text: the documentation, the licences, and the page for wrong addresses. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { inProject } from './places.mjs';

/** @param {string} text */
export const escapeHtml = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/**
 * @param {{ title: string, style: string, body: string, root: string }} document its body is HTML; `root` is
 *   the way to the application
 */
export function writePage({ title, style, body, root }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<title>${escapeHtml(title)} – LinuxRun</title>
<link rel="icon" href="${root}icon.svg" />
<style>
${style}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** @param {string} style */
export function writeMissingPage(style) {
  // Hosts send this page for any address, so only an absolute path leads back from everywhere.
  const body = `<main>
<h1>There is no such page</h1>
<p>The address may have a typing error, or the page has moved.</p>
<p><a href="/">Go to LinuxRun</a></p>
</main>`;
  return writePage({ title: 'Not found', style, body, root: '/' });
}

/** @param {string} source the path of a Markdown file @returns the name of its page */
const pageOf = (source) => (source === 'README.md' ? 'index' : basename(source, '.md').toLowerCase());

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
  const page = path.endsWith('.md') ? pageOf(path.replace(/^(\.\.?\/)+/, '')) : '';
  // The site has no page for folders and sources.
  if (!pages.has(page)) return undefined;
  return `${page}.html${fragment === undefined ? '' : `#${fragment}`}`;
}

/** @param {string} heading plain text @returns the fragment by which GitHub's readers know it */
const slugOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/**
 * Renders the documentation.
 * @param {readonly string[]} sources Markdown files
 * @param {string} style
 * @returns {Promise<Map<string, string>>} HTML by file name
 */
export async function writeDocumentation(sources, style) {
  const pages = new Set(sources.map(pageOf));
  // The set-up reads this file before it has installed any package.
  const { Marked } = await import('marked');
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }) {
        const html = this.parser.parseInline(tokens);
        return `<h${depth} id="${slugOf(html.replace(/<[^>]*>/g, ''))}">${html}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        const target = siteLink(href, pages);
        return target === undefined ? text : `<a href="${escapeHtml(target)}">${text}</a>`;
      },
      image({ href, text }) {
        return `<img src="${escapeHtml(siteLink(href, pages) ?? href)}" alt="${escapeHtml(text)}" />`;
      },
    },
  });
  const links = [...pages].map(
    (page) => `<a href="${page}.html">${page === 'index' ? 'overview' : page}</a>`,
  );
  const navigation = `<nav aria-label="Documentation"><a href="../">LinuxRun</a>${links.join('')}</nav>`;
  const written = sources.map(async (source) => {
    const text = await readFile(inProject(source), 'utf8');
    const title = /^# (.*)$/m.exec(text)?.[1] ?? source;
    const body = `${navigation}\n<main>\n${await marked.parse(text)}</main>`;
    return /** @type {const} */ ([`${pageOf(source)}.html`, writePage({ title, style, body, root: '../' })]);
  });
  return new Map(await Promise.all(written));
}
