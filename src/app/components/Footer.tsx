import { readRelease } from '../offline/release.ts';

/** Leads to the documents that the build puts beside the page, and names the version. */
export function Footer() {
  const { version } = readRelease();
  return (
    <footer className="column footer">
      {version === undefined ? (
        <p>LinuxRun, in development</p>
      ) : (
        <>
          <nav aria-label="About">
            <a href="docs/">Docs</a>
            <a href="sources.html">Sources</a>
            <a href="licences.html">Licences</a>
          </nav>
          <p>LinuxRun {version}</p>
        </>
      )}
    </footer>
  );
}
