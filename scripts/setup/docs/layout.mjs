/** The frame of a page of the documentation: header, menu, contents, ways to its neighbours. */
import { escapeHtml } from '../plain-page.mjs';

/** @typedef {import('./markdown.mjs').Heading} Heading */
/** @typedef {{ name: string, title: string }} Entry a page */
/** @typedef {{ title: string, entries: readonly Entry[] }} MenuSection */
/**
 * What the pages share: the addresses of scripts, style sheets and fonts, and the element with the policy.
 * @typedef {{
 *   scripts: readonly string[], styles: readonly string[], fonts: readonly string[],
 *   policy: string, version: string
 * }} Frame
 */

const LOGO = `<svg viewBox="0 0 16 16" aria-hidden="true"><rect width="16" height="16" rx="4" /><path d="M4.5 5l3 3-3 3M9 11h3" /></svg>`;

/** @param {string} name @param {string} path of an icon of 16 by 16 */
const icon = (name, path) =>
  `<svg class="icon icon-${name}" viewBox="0 0 16 16" aria-hidden="true"><path d="${path}" /></svg>`;

const ICONS = {
  search: icon('search', 'M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM10.6 10.6L14 14'),
  theme: icon('theme', 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 2v12M8 5l4-1M8 8h6M8 11l4 1'),
  menu: icon('menu', 'M2 4h12M2 8h12M2 12h12'),
};

const HEADER = `<header class="header">
<a class="brand" href="../">${LOGO}<span>LinuxRun</span></a>
<a class="here" href="index.html">Docs</a>
<button type="button" class="search-button" data-search aria-label="Search">${ICONS.search}<span>Search</span><kbd>/</kbd></button>
<button type="button" class="round" data-theme-choice aria-label="Colours">${ICONS.theme}</button>
<button type="button" class="round menu-button" data-menu aria-expanded="false" aria-controls="menu" aria-label="Menu">${ICONS.menu}</button>
</header>`;

/** @param {readonly MenuSection[]} sections @param {string} current the name of the page */
function writeMenu(sections, current) {
  const lists = sections.map(({ title, entries }) => {
    const items = entries.map(({ name, title }) => {
      const mark = name === current ? ' aria-current="page"' : '';
      return `<li><a href="${name}.html"${mark}>${escapeHtml(title)}</a></li>`;
    });
    return `<h2>${escapeHtml(title)}</h2>\n<ul>${items.join('\n')}</ul>`;
  });
  return `<nav class="menu" id="menu" aria-label="Documentation">\n${lists.join('\n')}\n</nav>`;
}

/** @param {readonly Heading[]} headings */
function writeContents(headings) {
  const shown = headings.filter(({ depth }) => depth === 2 || depth === 3);
  if (shown.length < 2) return '<aside class="contents"></aside>';
  const items = shown.map(
    ({ id, html, depth }) => `<li class="depth-${depth}"><a href="#${id}">${html}</a></li>`,
  );
  return `<aside class="contents"><nav aria-label="On this page"><p>On this page</p>\n<ul>${items.join('\n')}</ul></nav></aside>`;
}

/** @param {Entry | undefined} before @param {Entry | undefined} after */
function writeNeighbours(before, after) {
  const link = (
    /** @type {Entry | undefined} */ entry,
    /** @type {string} */ rel,
    /** @type {string} */ label,
  ) =>
    entry
      ? `<a rel="${rel}" href="${entry.name}.html"><span>${label}</span>${escapeHtml(entry.title)}</a>`
      : '<span></span>';
  return `<nav class="neighbours" aria-label="Pages">${link(before, 'prev', 'Previous')}${link(after, 'next', 'Next')}</nav>`;
}

/**
 * @param {Entry & { html: string, headings: readonly Heading[] }} page
 * @param {readonly MenuSection[]} sections
 * @param {Frame} frame
 */
export function writeDocument({ name, title, html, headings }, sections, frame) {
  const { scripts, styles, fonts, policy, version } = frame;
  const order = sections.flatMap(({ entries }) => entries);
  const place = order.findIndex((entry) => entry.name === name);
  return `<!doctype html>
<html lang="en">
<head>
${policy}
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} – LinuxRun</title>
<link rel="icon" href="../icon.svg">
${fonts.map((font) => `<link rel="preload" as="font" type="font/woff2" crossorigin href="${font}">`).join('\n')}
${styles.map((style) => `<link rel="stylesheet" href="${style}">`).join('\n')}
<script src="theme.js"></script>
${scripts.map((script) => `<script type="module" src="${script}"></script>`).join('\n')}
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
${HEADER}
<div class="frame">
${writeMenu(sections, name)}
<main id="content">
<article>
${html}</article>
${writeNeighbours(order[place - 1], order[place + 1])}
</main>
${writeContents(headings)}
</div>
<footer class="footer"><nav aria-label="About"><a href="../">LinuxRun ${escapeHtml(version)}</a><a href="../licences.html">Licences</a></nav></footer>
</body>
</html>
`;
}
