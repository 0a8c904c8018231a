import { type Digest, isDigest } from '../../oci/digest.ts';
import { ImageError } from '../../oci/errors.ts';
import { parseReference, type RegistryReference } from '../../oci/reference.ts';
import { registryUrl } from '../../oci/registry.ts';
import { clean } from '../../text/message.ts';
import { ProxyError } from './errors.ts';

/** A request that the proxy accepts. */
export type Wanted =
  | { readonly kind: 'manifests'; readonly tag: string; readonly digest?: undefined }
  | { readonly kind: 'manifests' | 'blobs'; readonly digest: Digest }
  | { readonly kind: 'tags'; readonly digest?: undefined };

export type RegistryRequest = Wanted & {
  /** The registry's address, such as `https://registry-1.docker.io/`. */
  readonly registry: URL;
  readonly repository: string;
  /** The address of the content at the registry. */
  readonly url: URL;
};

const MAX_PATH = 1024;
const PATH = /^\/([^/]+)\/v2\/(.+)\/(?:(manifests|blobs)\/([^/]+)|tags\/(list))$/;
const TAGS_QUERY = { n: /^\d{1,4}$/, last: /^\w[\w.-]{0,127}$/ };

/**
 * @param path the part after `/registry`: the registry's host and a path of the distribution specification
 * @param query the query of the address, with its question mark if there is one
 * @throws ProxyError
 */
export function parseRequest(path: string, query: string): RegistryRequest {
  const [, host = '', name = '', kind, item = '', list] = PATH.exec(path.slice(0, MAX_PATH)) ?? [];
  if (path.length > MAX_PATH || (kind === undefined && list === undefined))
    throw new ProxyError(
      404,
      'UNSUPPORTED',
      'only manifests, blobs and lists of tags are passed on: /registry/HOST/v2/NAME/manifests/…, /blobs/… or /tags/list',
    );
  const digest = isDigest(item) ? item : undefined;
  if (kind === 'blobs' && !digest)
    throw new ProxyError(400, 'DIGEST_INVALID', `"${clean(item)}" is not a sha256 or sha512 digest`);
  const tag = digest || list ? undefined : item;
  if (!URL.canParse(`https://${host}`)) throw invalidName(`${host}/${name}`);
  const { registry, repository } = parseName(host, name, tag);
  const base = registryUrl(registry);
  if (base.host !== registryUrl(host).host) throw invalidName(`${host}/${name}`);
  const address = (rest: string) => new URL(`/v2/${repository}/${rest}`, base);

  if (list) {
    const url = address('tags/list');
    url.search = parseTagsQuery(query).toString();
    return { registry: base, repository, url, kind: 'tags' };
  }
  if (query !== '') throw new ProxyError(400, 'UNSUPPORTED', 'manifests and blobs have no query');
  const url = address(`${kind}/${item}`);
  if (kind === 'blobs' && digest) return { registry: base, repository, url, kind, digest };
  if (digest) return { registry: base, repository, url, kind: 'manifests', digest };
  return { registry: base, repository, url, kind: 'manifests', tag: item };
}

/** Checks every part by the grammar of image references. */
function parseName(host: string, name: string, tag: string | undefined): RegistryReference {
  const text = `${host}/${name}${tag === undefined ? '' : `:${tag}`}`;
  try {
    const reference = parseReference(`docker://${text}`);
    if (reference.scheme === 'docker' && !reference.digest && (tag ?? 'latest') === reference.tag)
      return reference;
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new ProxyError(400, 'NAME_INVALID', error.message);
  }
  throw invalidName(text);
}

function parseTagsQuery(query: string): URLSearchParams {
  const parameters = new URLSearchParams(query);
  const names = [...parameters.keys()];
  const valid = [...parameters].every(([name, value]) =>
    Object.entries(TAGS_QUERY).some(([known, form]) => name === known && form.test(value)),
  );
  if (!valid || new Set(names).size < names.length)
    throw new ProxyError(400, 'UNSUPPORTED', 'a list of tags takes only ?n=NUMBER and &last=TAG');
  return parameters;
}

function invalidName(text: string): ProxyError {
  return new ProxyError(400, 'NAME_INVALID', `"${clean(text)}" is not a name of a registry and repository`);
}
