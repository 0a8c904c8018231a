/** Projects to start with. Their files are in `starters/`, and are loaded at a click. */
export interface Starter {
  /** The name of its folder. */
  readonly id: string;
  readonly name: string;
  /** What it shows, in a few words. */
  readonly purpose: string;
  /** Of a registry; undefined if it comes with the page. */
  readonly image?: string;
}

export const STARTERS: readonly Starter[] = [
  { id: 'shell-script', name: 'Shell script', purpose: 'A script and a text, in BusyBox' },
  { id: 'static-site', name: 'Static site', purpose: 'A page, its style, and a preview' },
  { id: 'python', name: 'Python', purpose: 'A web server and its preview', image: 'python:alpine' },
  {
    id: 'node',
    name: 'Node.js',
    purpose: 'A web server and its preview; installs Node.js first',
    image: 'debian:trixie-slim',
  },
  {
    id: 'c',
    name: 'C',
    purpose: 'A program and a Makefile; installs gcc first',
    image: 'debian:trixie-slim',
  },
  { id: 'go', name: 'Go', purpose: 'A program of large numbers', image: 'golang:alpine' },
  { id: 'nginx', name: 'nginx', purpose: 'A site, and the server’s configuration', image: 'nginx:alpine' },
];
