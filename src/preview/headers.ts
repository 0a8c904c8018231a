/**
 * The headers of every answer of a preview's origin. The page needs them to frame it (HTML standard, "cross-
 * origin isolation"). `Origin-Agent-Cluster` keeps previews and page in different processes.
 * @param host the preview's, with its port
 */
export function previewHeaders(page: string, userAgent: string): Record<string, string> {
  return {
    'Cross-Origin-Embedder-Policy': knowsCredentialless(userAgent) ? 'credentialless' : 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-site',
    'Origin-Agent-Cluster': '?1',
    'Content-Security-Policy': `frame-ancestors ${page} *.${page}`,
  };
}

/** Whether third-party images without CORP load in the preview. WebKit has no such policy. */
function knowsCredentialless(userAgent: string): boolean {
  return /\b(Chrome|Firefox)\//.test(userAgent);
}
