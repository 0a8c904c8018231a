/** Where the interface finds its files. What is not given stays as it is. */
export interface Configuration {
  /**
   * The folder with emulator.wasm, kernel/ and images/: a URL, or in Node also a path; by default that of the
   * package.
   */
  readonly assets?: string | URL | undefined;
  /** In Node: the folder where images are kept; by default `linuxrun/images` in the user's cache. */
  readonly store?: string | undefined;
  /**
   * In a browser: the URL of our server, through which images and the network come; by default that of the
   * page.
   */
  readonly server?: string | URL | undefined;
  /**
   * A mirror of Docker Hub, such as `https://mirror.example.com`, which is asked without an account; in Node
   * by default that of the variable LINUXRUN_REGISTRY_MIRROR.
   */
  readonly registryMirror?: string | URL | undefined;
}
