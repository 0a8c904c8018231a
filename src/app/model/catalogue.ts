/** An image in the catalogue. */
export interface CatalogueEntry {
  readonly name: string;
  readonly image: string;
  /** The image's purpose, in a few words. */
  readonly purpose: string;
  /** The memory it needs, if that is more than the default. */
  readonly memory?: string;
  readonly disk?: string;
}

/** Images that come with the page. The form shows them by name, and no reference has capital letters. */
export const DEMOS: readonly CatalogueEntry[] = [
  {
    name: 'BusyBox',
    image: 'oci://images:busybox',
    purpose: 'A shell and three hundred small tools: look around in a real Linux',
  },
  {
    name: 'Hello World',
    image: 'oci://images:hello-world',
    purpose: 'Says hello and ends: the quickest way to see that it works',
  },
];

/**
 * Some of Docker Hub's official images that are published for linux/riscv64, in November 2026.
 * Ubuntu is the last release before 25.10, whose programs use vectors: the core interprets them.
 */
export const PUBLIC_IMAGES: readonly CatalogueEntry[] = [
  { name: 'Alpine', image: 'alpine', purpose: 'A small distribution, 4 MB' },
  { name: 'Debian', image: 'debian:trixie-slim', purpose: 'The universal operating system, slim' },
  { name: 'Ubuntu', image: 'ubuntu:24.04', purpose: 'What many servers run' },
  { name: 'BusyBox, newest', image: 'busybox', purpose: 'The latest release, from its makers' },
  { name: 'Bash', image: 'bash', purpose: 'The shell itself, to try a script in' },
  { name: 'Python', image: 'python:alpine', purpose: 'A prompt that speaks Python 3', memory: '1G' },
  { name: 'Perl', image: 'perl:slim-trixie', purpose: 'Perl 5 and its debugger as a prompt' },
  { name: 'Ruby', image: 'ruby:alpine', purpose: 'Interactive Ruby', memory: '1G' },
  { name: 'Go', image: 'golang:alpine', purpose: 'The compiler and its tools', memory: '2G', disk: '4G' },
  { name: 'Rust', image: 'rust:slim-trixie', purpose: 'Compiler and cargo', memory: '2G', disk: '4G' },
  { name: 'PHP', image: 'php:alpine', purpose: 'Interactive PHP', memory: '1G' },
];
