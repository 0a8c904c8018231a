import { defineConfig } from 'vite';
import { translatorDefines } from './scripts/setup/translator.mjs';
import { registryProxyInDevelopment } from './src/server/dev-server.ts';
import { ISOLATION_HEADERS } from './src/server/headers.ts';
import { staticHost } from './src/server/static-host.ts';

export default defineConfig({
  plugins: [staticHost(), registryProxyInDevelopment()],
  // So that the built page works in any folder of any host.
  base: './',
  build: {
    outDir: 'dist/app',
    emptyOutDir: true,
    target: 'es2022',
    // The server serves public/ itself: the emulator and the kernels are built apart from the page.
    copyPublicDir: false,
    rolldownOptions: { input: ['index.html', 'src/docs/main.ts'] },
    // The pages of the documentation find their script in it.
    manifest: true,
  },
  worker: { format: 'es' },
  // The parser of Docker's flags was written for Node.
  define: { global: 'globalThis', ...translatorDefines() },
  // Vite finds it only when a worker imports it, and would then reload the page.
  optimizeDeps: { include: ['xz-decompress'] },
  server: { headers: ISOLATION_HEADERS },
});
