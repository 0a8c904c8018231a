/** Pages without navigation and scripts: the licences, and the page for wrong addresses. */

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
<p><a href="/">Go to LinuxRun</a> or to <a href="/docs/">its documentation</a></p>
</main>`;
  return writePage({ title: 'Not found', style, body, root: '/' });
}
