import { LOCAL_NAME } from '../preview/names.ts';

/**
 * These headers make a page cross-origin isolated. Only then do browsers let threads share memory, which
 * the harts of a machine need (HTML standard, "cross-origin isolation").
 */
export const ISOLATION_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * A page at `localhost` asks its own name whether it leads to this server. Styles need 'unsafe-inline',
 * because xterm.js puts its theme and its cell sizes in <style> elements. zstddec fetches its WebAssembly
 * from a data: URL.
 * @param others what connections may lead to besides our own server
 */
const contentSecurityPolicy = (...others: string[]): string[] => [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  [`connect-src 'self' data: http://${LOCAL_NAME}:*`, ...others].join(' '),
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
];

/** Relays that the user may name: `parseRelay` accepts no others. */
const RELAYS = ['wss:', 'ws://localhost:*', 'ws://127.0.0.1:*'];

const STATIC_HOST_POLICY = contentSecurityPolicy(
  ...['https:', 'http://localhost:*', 'http://127.0.0.1:*'],
  ...RELAYS,
);

const securityHeaders = (policy: readonly string[]) => ({
  ...ISOLATION_HEADERS,
  // A <meta> element cannot set this.
  'Content-Security-Policy': [...policy, "frame-ancestors 'none'"].join('; '),
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
});

/** The headers of every answer but one. */
export const SECURITY_HEADERS = securityHeaders(contentSecurityPolicy());

/** Those of the code of machine workers: workers have the policy of their own script (HTML, "workers"). */
const MACHINE_WORKER_HEADERS = securityHeaders(contentSecurityPolicy(...RELAYS));
const MACHINE_WORKER = /^\/assets\/browser-machine-[\w-]+\.js$/;

/** @param path of the answer's URL */
export const headersFor = (path: string): Readonly<Record<string, string>> =>
  MACHINE_WORKER.test(path) ? MACHINE_WORKER_HEADERS : SECURITY_HEADERS;

/** The headers for a static file host, where the page asks registries directly. */
export const STATIC_HOST_HEADERS = securityHeaders(STATIC_HOST_POLICY);

/** The policy in the page's own <meta> element, which holds on every host. */
export const DOCUMENT_POLICY = STATIC_HOST_POLICY.join('; ');
