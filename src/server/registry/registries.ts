import { registryUrl } from '../../oci/registry.ts';

/** The registries of most public images. */
export const DEFAULT_REGISTRIES: readonly string[] = [
  'docker.io=auth.docker.io',
  'ghcr.io',
  'quay.io',
  'gcr.io',
  '*.gcr.io',
  '*.pkg.dev',
  'registry.k8s.io',
  'public.ecr.aws',
  'mcr.microsoft.com',
  'registry.gitlab.com=gitlab.com',
  'registry.access.redhat.com',
  'registry.redhat.io',
  'registry.fedoraproject.org',
  'registry.opensuse.org',
  'docker.elastic.co=docker-auth.elastic.co',
  'cgr.dev',
  'lscr.io',
  'codeberg.org',
  'nvcr.io',
];

const HOST = /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;
const WILDCARD = /^\*(?:\.[a-z0-9-]+){2,}$/;

interface Registry {
  /** Another host whose token service may get the user's password. */
  readonly tokenHost: string | undefined;
}

/** The registries that the proxy may ask. */
export class Registries {
  readonly #hosts = new Map<string, Registry>();
  /** Wildcards, by the text after the asterisk. */
  readonly #suffixes = new Map<string, Registry>();

  /**
   * @param entries each `host`, `host:port` or `*.domain`, with `=host` of the token service if that is
   *   another
   * @throws Error for an invalid entry
   */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [host = '', tokenHost, ...rest] = entry.toLowerCase().split('=');
      const valid = rest.length === 0 && (tokenHost === undefined || HOST.test(tokenHost));
      if (valid && WILDCARD.test(host)) this.#suffixes.set(host.slice(1), { tokenHost });
      else if (valid && HOST.test(host)) this.#hosts.set(registryUrl(host).host, { tokenHost });
      else
        throw new Error(
          `"${entry}" is not a registry: write host, host:port, *.domain or host=token-service`,
        );
    }
  }

  /** @param host in the form of `URL.host` */
  has(host: string): boolean {
    return this.#find(host) !== undefined;
  }

  /** Whether a token service may get the password of a registry's user. */
  mayGetPassword(tokenHost: string, registry: string): boolean {
    const found = this.#find(registry);
    return found !== undefined && (tokenHost === registry || tokenHost === found.tokenHost);
  }

  #find(host: string): Registry | undefined {
    const exact = this.#hosts.get(host);
    if (exact) return exact;
    for (let dot = host.indexOf('.'); dot > 0; dot = host.indexOf('.', dot + 1)) {
      const found = this.#suffixes.get(host.slice(dot));
      if (found) return found;
    }
    return undefined;
  }
}
