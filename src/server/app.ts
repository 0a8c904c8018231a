import { Hono } from 'hono';
import { SECURITY_HEADERS } from './headers.ts';
import { REGISTRY_PATH, type RegistryProxy } from './registry/proxy.ts';
import { staticFiles } from './static.ts';

/**
 * The server's handlers.
 * @param roots folders of static files, the first that has a file winning
 * @param registryProxy the way to registries, where there is one
 */
export function createApp(roots: readonly string[], registryProxy?: RegistryProxy): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.header(name, value);
  });
  if (registryProxy) app.all(`${REGISTRY_PATH}/*`, registryProxy.handle);
  app.use(staticFiles(roots));
  app.notFound((context) => context.text('Not found\n', 404));
  app.onError((error, context) => {
    console.error(error);
    return context.text('Internal error\n', 500);
  });
  return app;
}
