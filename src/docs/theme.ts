/** Runs before a page of the documentation is drawn, so that it never shows the wrong colours first. */
try {
  const { state } = JSON.parse(localStorage.getItem('linuxrun-theme') ?? '{}');
  document.documentElement.dataset.theme = state?.theme ?? 'system';
} catch {
  // A browser without storage, or a value of another program: the system's colours.
}
