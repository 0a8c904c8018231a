/** The image and the program of each language. A block may name others. */
export const INTERPRETERS: Readonly<Record<string, readonly [image: string, program: string]>> = {
  sh: ['oci://images:busybox', 'sh'],
  python: ['python:alpine', 'python3'],
};
