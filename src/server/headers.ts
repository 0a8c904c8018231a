/**
 * What makes a page cross-origin isolated: only then do browsers let threads share memory, which
 * the harts of a machine need (HTML standard, "cross-origin isolation").
 */
export const ISOLATION_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * xterm.js puts its theme and its cell sizes in <style> elements, hence 'unsafe-inline' for styles; zstddec fetches its
 * WebAssembly from a data: URL.
 * @param registries sources that images may come from besides our own server
 */
const contentSecurityPolicy = (...registries: string[]): string[] => [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  ["connect-src 'self' data:", ...registries].join(' '),
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
];

const STATIC_HOST_POLICY = contentSecurityPolicy('https:', 'http://localhost:*', 'http://127.0.0.1:*');

const securityHeaders = (policy: readonly string[]) => ({
  ...ISOLATION_HEADERS,
  // A document cannot ask for this itself.
  'Content-Security-Policy': [...policy, "frame-ancestors 'none'"].join('; '),
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
});

/** The headers of every answer. */
export const SECURITY_HEADERS = securityHeaders(contentSecurityPolicy());

/** Those of a server of files only, where the page asks registries directly. */
export const STATIC_HOST_HEADERS = securityHeaders(STATIC_HOST_POLICY);

/** What the page itself asks for, whoever serves it. */
export const DOCUMENT_POLICY = STATIC_HOST_POLICY.join('; ');
