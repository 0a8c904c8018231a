/** The script of the documentation's pages. Without it they can be read all the same. */
import './docs.css';
import { addCopyButtons } from './copy-button.ts';
import { addRunButtons } from './run-button.ts';
import { addSearch } from './search-dialog.ts';
import { addThemeButton } from './theme-button.ts';

addThemeButton(find('[data-theme-choice]'));
addMenu(find('[data-menu]'));
addSearch(find('[data-search]'));
addCopyButtons();
addRunButtons();
markCurrentSection();

function find(selector: string): HTMLButtonElement {
  return document.querySelector(selector) as HTMLButtonElement;
}

/** Opens the menu on narrow screens. */
function addMenu(button: HTMLButtonElement): void {
  const show = (open: boolean) => {
    button.setAttribute('aria-expanded', String(open));
    document.body.classList.toggle('menu-open', open);
  };
  button.addEventListener('click', () => show(button.getAttribute('aria-expanded') !== 'true'));
  addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') show(false);
  });
  document.querySelector('.menu [aria-current]')?.scrollIntoView({ block: 'nearest' });
}

/** Marks the section that the reader sees in the list of contents. */
function markCurrentSection(): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>('.contents a')];
  const headings = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
  const mark = () => {
    const passed = headings.filter((heading) => heading && heading.getBoundingClientRect().top < 120).length;
    for (const [index, link] of links.entries()) {
      if (index === Math.max(passed - 1, 0)) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  };
  addEventListener('scroll', () => requestAnimationFrame(mark), { passive: true });
  mark();
}
