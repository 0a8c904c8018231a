import { getRequestListener } from '@hono/node-server';
import type { Plugin } from 'vite';
import { CACHE } from '../../scripts/setup/places.mjs';
import { HERE_PATH } from '../preview/names.ts';
import { createApp } from './app.ts';
import { readHosts } from './hosts.ts';
import { readProxyOptions } from './registry/options.ts';
import { REGISTRY_PATH, RegistryProxy } from './registry/proxy.ts';

const OWN_PATHS = [`${REGISTRY_PATH}/`, HERE_PATH];

/** Adds our registry proxy to Vite's server for development. */
export function registryProxyInDevelopment(): Plugin {
  return {
    name: 'registry-proxy',
    apply: 'serve',
    // Vite checks the hosts itself, also for its web socket. It writes `*.host` as `.host`.
    config: () => ({
      server: { allowedHosts: readHosts(process.env).map((entry) => entry.replace(/^\*(?=\.)/, '')) },
    }),
    async configureServer({ middlewares, httpServer }) {
      const registryProxy = await RegistryProxy.open(readProxyOptions(process.env, CACHE));
      httpServer?.once('close', () => registryProxy.close());
      const listen = getRequestListener(
        createApp([], { registryProxy, hosts: readHosts(process.env) }).fetch,
      );
      middlewares.use((request, response, next) => {
        if (OWN_PATHS.some((path) => request.url?.startsWith(path))) void listen(request, response);
        else next();
      });
    },
  };
}
