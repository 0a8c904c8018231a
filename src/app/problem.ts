/** Adds a message to the page's alerts, which screen readers announce. */
export function showProblem(title: string, text: string): void {
  const section = document.createElement('section');
  section.className = 'problem';
  const heading = document.createElement('h2');
  heading.textContent = title;
  const paragraph = document.createElement('p');
  paragraph.textContent = text;
  section.append(heading, paragraph);
  document.querySelector('#problems')?.append(section);
}
