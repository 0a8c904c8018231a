/** The Content-Security-Policy of a container's documents (Content Security Policy Level 3). */

/** These give way to the page's own: what may frame the preview, and the scheme of its requests. */
const DROPPED = ['frame-ancestors', 'upgrade-insecure-requests'];
/** The first of these that a policy has decides about scripts in a document. */
const SCRIPTS = ['script-src-elem', 'script-src', 'default-src'];

/** Lets a policy admit our script, and the page frame the document. A header may hold several policies. */
export function admit(header: string, script: string): string {
  return header
    .split(',')
    .map((policy) => admitIn(policy, script))
    .filter((policy) => policy !== '')
    .join(', ');
}

function admitIn(policy: string, script: string): string {
  const directives = policy.split(';').map((text) => text.trim().split(/\s+/));
  const kept = directives.filter(([name = '']) => name !== '' && !DROPPED.includes(name.toLowerCase()));
  const deciding = SCRIPTS.map((name) => kept.find(([each]) => each?.toLowerCase() === name)).find(Boolean);
  if (deciding) {
    const sources = deciding.slice(1).filter((source) => source.toLowerCase() !== "'none'");
    deciding.splice(1, deciding.length, ...sources, script);
  }
  return kept.map((words) => words.join(' ')).join('; ');
}

/** A nonce that a policy asks for, as one with `'strict-dynamic'` does in place of all URLs. */
export function nonceOf(header: string): string | undefined {
  return /'nonce-([A-Za-z0-9+/_=-]+)'/.exec(header)?.[1];
}
