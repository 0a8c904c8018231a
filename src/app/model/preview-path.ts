/** The address of a server inside the container, as its user writes it. */
const LOCAL_SERVER = /^(https?:\/\/)?(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?(?=[/?#]|$)/i;

/** The path of a page: what follows the server in an address, or all of the text. */
export function toPath(text: string): string {
  const path = text.trim().replace(LOCAL_SERVER, '');
  return path.startsWith('/') ? path : `/${path}`;
}
