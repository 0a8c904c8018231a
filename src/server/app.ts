import { Hono } from 'hono';
import { TOKEN_PATH } from '../network/relay-protocol.ts';
import { HERE_PATH } from '../preview/names.ts';
import { ARCHIVE_PATH, type ArchiveProxy } from './archive/proxy.ts';
import { framersOf } from './embedding.ts';
import { headersFor } from './headers.ts';
import { answerHere } from './here.ts';
import { onlyFor } from './hosts.ts';
import { previewDomains, previews } from './previews.ts';
import { REGISTRY_PATH, type RegistryProxy } from './registry/proxy.ts';
import { type Relay, refuseToken } from './relay/relay.ts';
import { missingPage, staticFiles } from './static.ts';

/** The archive that the site's page about the sources links to. */
const SOURCES_PATH = '/:archive{linuxrun-[^/]+-sources\\.tar}';

export interface AppOptions {
  /** The registry proxy, if there is one. */
  readonly registryProxy?: RegistryProxy | undefined;
  /** The proxy for archives of repositories, if there is one. */
  readonly archiveProxy?: ArchiveProxy | undefined;
  /** The relay, if there is one. */
  readonly relay?: Relay | undefined;
  /** The server's names besides those of the loopback interface. */
  readonly hosts?: readonly string[] | undefined;
  /** The origins whose pages may show the embedded page in a frame. */
  readonly embedOrigins?: readonly string[] | undefined;
  /** The folder of the files of previews, if there are any. */
  readonly previewRoot?: string | undefined;
  /** A folder that may hold the archive of the sources, and of which nothing else is served. */
  readonly archiveRoot?: string | undefined;
}

/**
 * Creates the server's handlers.
 * @param roots folders of static files; the first one that has a file wins
 */
export function createApp(
  roots: readonly string[],
  {
    registryProxy,
    archiveProxy,
    relay,
    hosts = [],
    embedOrigins = [],
    previewRoot,
    archiveRoot,
  }: AppOptions = {},
): Hono {
  const app = new Hono();
  if (previewRoot !== undefined) app.use(previews(previewRoot, hosts));
  const domains = previewDomains(hosts);
  app.use(async (context, next) => {
    await next();
    const framers = framersOf(new URL(context.req.url), embedOrigins);
    const headers = headersFor(context.req.path, domains, framers);
    for (const [name, value] of Object.entries(headers)) context.header(name, value);
  });
  app.use(onlyFor(hosts));
  app.get(HERE_PATH, answerHere);
  if (registryProxy) app.all(`${REGISTRY_PATH}/*`, registryProxy.handle);
  if (archiveProxy) app.get(`${ARCHIVE_PATH}/*`, archiveProxy.handle);
  app.post(TOKEN_PATH, relay?.handleToken ?? refuseToken);
  app.use(staticFiles(roots));
  if (archiveRoot !== undefined) app.use(SOURCES_PATH, staticFiles([archiveRoot]));
  app.notFound(missingPage(roots));
  app.onError((error, context) => {
    console.error(error);
    return context.text('Internal error\n', 500);
  });
  return app;
}
