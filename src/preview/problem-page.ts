/** Pages of our own that stand in for a container's. */
import { PageClosedError } from './gateway-link.ts';

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:34rem;padding:0 1.5rem;color-scheme:light dark}h1{font-size:1.25rem}';

interface Problem {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  readonly link: { readonly url: string; readonly label: string };
}

/** Says why there is no page. @param page the URL of the page with the machine */
export function problemPage(error: unknown, port: number, page: string): Response {
  const { status, title, text, link } = explain(error, port, page);
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style><h1>${title}</h1><p>${escapeHtml(text)}</p><p><a href="${escapeHtml(link.url)}">${link.label}</a></p>`;
  return new Response(html, {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
  });
}

function explain(error: unknown, port: number, page: string): Problem {
  if (error instanceof PageClosedError)
    return {
      status: 503,
      title: 'The container is gone',
      text: `This was the preview of port ${port} of a container. Its page in LinuxRun was closed, or runs something else now.`,
      link: { url: page, label: 'Open LinuxRun' },
    };
  const reason = error instanceof Error ? error.message : String(error);
  return {
    status: 502,
    title: `No answer on port ${port}`,
    text: `${reason}.`,
    link: { url: '', label: 'Try again' },
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`);
}
