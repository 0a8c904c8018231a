import type { Plugin } from 'vite';
import { DOCUMENT_POLICY, STATIC_HOST_HEADERS } from './headers.ts';

/** A file with the headers of every answer, which some static hosts read (Cloudflare Pages, Netlify). */
const HEADERS_FILE = '_headers';

/** Prepares the built page for any static file host, as safely as that allows. */
export function staticHost(): Plugin {
  return {
    name: 'static-host',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: DOCUMENT_POLICY },
        injectTo: 'head-prepend',
      },
    ],
    generateBundle() {
      const lines = Object.entries(STATIC_HOST_HEADERS).map(([name, value]) => `  ${name}: ${value}\n`);
      this.emitFile({ type: 'asset', fileName: HEADERS_FILE, source: `/*\n${lines.join('')}` });
    },
  };
}
