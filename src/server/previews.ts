import { Hono, type MiddlewareHandler } from 'hono';
import { previewHeaders } from '../preview/headers.ts';
import { LOCAL_NAME, OUR_PATHS, readPreviewHost } from '../preview/names.ts';
import { WILDCARD } from './hosts.ts';
import { missingPage, staticFiles } from './static.ts';

/** The names of pages that have previews below them. */
export function previewDomains(hosts: readonly string[]): string[] {
  const wild = hosts.filter((entry) => entry.startsWith(WILDCARD));
  return [LOCAL_NAME, ...wild.map((entry) => entry.slice(WILDCARD.length))];
}

/**
 * Answers the origins of previews with their few files, and nothing else of the server's. All other answers
 * come from containers, by the service worker.
 * @param root the folder of the files
 */
export function previews(root: string, hosts: readonly string[]): MiddlewareHandler {
  const domains = previewDomains(hosts);
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    const { host } = new URL(context.req.url);
    const page = readPreviewHost(host)?.page ?? '';
    const headers = {
      ...previewHeaders(page, context.req.header('User-Agent') ?? ''),
      'Cache-Control': 'no-store',
      'Service-Worker-Allowed': '/',
      'X-Content-Type-Options': 'nosniff',
    };
    for (const [name, value] of Object.entries(headers)) context.header(name, value);
  });
  app.use(`${OUR_PATHS}*`, staticFiles([root]));
  app.notFound(missingPage([root]));
  return async (context, next) => {
    const { hostname } = new URL(context.req.url);
    const preview = readPreviewHost(hostname);
    return preview && domains.includes(preview.page) ? app.fetch(context.req.raw) : next();
  };
}
