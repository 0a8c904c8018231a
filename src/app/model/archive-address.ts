/** Where the archive of a project is that somebody names by an address. */
const HEAD = 'HEAD';
const REPOSITORY = /^\/([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/;
const TREE = /^\/([\w.-]+)\/([\w.-]+)\/tree\/([\w./-]+?)\/?$/;
const ARCHIVE = /^\/([\w.-]+)\/([\w.-]+)\/archive\/([\w./-]+?)\.(zip|tar\.gz)$/;
/** The hosts whose archives our server fetches (`src/server/archive/proxy.ts`). */
const HOSTS = ['codeload.github.com', 'gitlab.com', 'codeberg.org'];

/**
 * Returns the address of the archive of a repository on GitHub, or any https address as it is, and any one of
 * the page's own origin.
 * @param address as a link has it
 * @param page the URL of the page
 * @throws Error for anything else
 */
export function archiveUrl(address: string, page: string): URL {
  const url = URL.parse(address, page);
  const own = new URL(page);
  // The URL of a blob has the origin of its page.
  const isOwn = url?.origin === own.origin && url.protocol === own.protocol;
  if (!url || !(isOwn || url.protocol === 'https:') || url.username !== '' || url.password !== '')
    throw new Error('a project is at an https address, without a user name');
  return (url.hostname === 'github.com' && ofGitHub(url.pathname)) || url;
}

/** Whether a text that was pasted is the address of a repository or of its archive. */
export function isArchiveAddress(text: string): boolean {
  const url = /^https:\/\/\S+$/.test(text) ? URL.parse(text) : null;
  if (!url) return false;
  if (url.hostname === 'github.com') return ofGitHub(url.pathname) !== undefined;
  return HOSTS.includes(url.hostname) && /\.(?:zip|tar\.gz)$|\/(?:zip|tar\.gz)\//.test(url.pathname);
}

function ofGitHub(path: string): URL | undefined {
  const codeload = (owner = '', name = '', kind = 'tar.gz', reference = HEAD) =>
    new URL(`https://codeload.github.com/${owner}/${name}/${kind}/${reference}`);
  const [archive, owner, name, reference, kind] = ARCHIVE.exec(path) ?? [];
  if (archive) return codeload(owner, name, kind, reference);
  const [tree, treeOwner, treeName, branch] = TREE.exec(path) ?? [];
  if (tree) return codeload(treeOwner, treeName, undefined, branch);
  const [repository, repositoryOwner, repositoryName] = REPOSITORY.exec(path) ?? [];
  return repository ? codeload(repositoryOwner, repositoryName) : undefined;
}
