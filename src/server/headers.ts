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
 * @param previews the origins of previews
 */
const contentSecurityPolicy = (others: readonly string[], previews: readonly string[]): string[] => [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  [`connect-src 'self' data: http://${LOCAL_NAME}:*`, ...others].join(' '),
  "worker-src 'self'",
  ['frame-src', ...previews].join(' '),
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
];

/** Relays that the user may name: `parseRelay` accepts no others. */
const RELAYS = ['wss:', 'ws://localhost:*', 'ws://127.0.0.1:*'];

/** The host of the page is unknown, and so are the names below it. */
const STATIC_HOST_POLICY = contentSecurityPolicy(
  ['https:', 'http://localhost:*', 'http://127.0.0.1:*', ...RELAYS],
  ['https:', `http://*.${LOCAL_NAME}:*`],
);

/** @param framers the origins that may frame the answer */
const headersWith = (policy: readonly string[], framers: readonly string[] = []) => ({
  ...ISOLATION_HEADERS,
  // An isolated page may frame only what permits that.
  ...(framers.length > 0 && { 'Cross-Origin-Resource-Policy': 'cross-origin' }),
  // Previews are the same site, and would otherwise share the page's process.
  'Origin-Agent-Cluster': '?1',
  // A <meta> element cannot set this.
  'Content-Security-Policy': [...policy, `frame-ancestors ${framers.join(' ') || "'none'"}`].join('; '),
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
});

/**
 * Workers have the policy of their own script (HTML, "workers"). Machine workers connect to relays. Some
 * browsers do not take the WebSockets of a page's own server for 'self'.
 */
const MACHINE_WORKER = /^\/assets\/browser-machine-[\w-]+\.js$/;

/**
 * The headers of every answer of the page's hosts.
 * @param path of the answer's URL
 * @param domains hosts whose previews are below them
 * @param framers the origins that may frame the answer
 */
export function headersFor(
  path: string,
  domains: readonly string[],
  framers: readonly string[] = [],
): Record<string, string> {
  const others = MACHINE_WORKER.test(path) ? [...RELAYS, `ws://${LOCAL_NAME}:*`] : [];
  const previews = domains.map((domain) => `*.${domain}:*`);
  return headersWith(contentSecurityPolicy(others, previews), framers);
}

/** The headers for a static file host, where the page asks registries directly. */
export const STATIC_HOST_HEADERS = headersWith(STATIC_HOST_POLICY);

/** The policy in the page's own <meta> element, which holds on every host. */
export const DOCUMENT_POLICY = STATIC_HOST_POLICY.join('; ');
