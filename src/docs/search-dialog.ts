import type { Hit, Search } from './search.ts';

/** Opens the search by a button, or by the keys that other documentation has for it. */
export function addSearch(button: HTMLButtonElement): void {
  const dialog = new SearchDialog();
  button.addEventListener('click', () => dialog.open());
  addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof Element && event.target.closest('input, textarea, linux-run');
    const wanted = event.key === '/' || (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey));
    if (!wanted || isTyping) return;
    event.preventDefault();
    dialog.open();
  });
}

class SearchDialog {
  readonly #dialog = document.createElement('dialog');
  readonly #input = document.createElement('input');
  readonly #list = document.createElement('ul');
  readonly #status = document.createElement('p');
  #search: Promise<Search> | undefined;

  constructor() {
    this.#dialog.className = 'search';
    this.#dialog.setAttribute('aria-label', 'Search the documentation');
    Object.assign(this.#input, { type: 'search', placeholder: 'Search the documentation' });
    this.#input.setAttribute('aria-label', 'Search the documentation');
    this.#status.className = 'quiet';
    this.#status.setAttribute('role', 'status');
    this.#dialog.append(this.#input, this.#status, this.#list);
    this.#input.addEventListener('input', () => void this.#update());
    this.#dialog.addEventListener('keydown', (event) => this.#move(event));
    this.#dialog.addEventListener('click', ({ target }) => {
      // A link to the page that is open only moves it.
      if (target === this.#dialog || (target as Element).closest('a')) this.#dialog.close();
    });
    document.body.append(this.#dialog);
  }

  open(): void {
    this.#dialog.showModal();
    this.#input.select();
    void this.#update();
  }

  async #update(): Promise<void> {
    const query = this.#input.value.trim();
    this.#search ??= loadSearch();
    const search = await this.#search.catch(() => undefined);
    if (query !== this.#input.value.trim()) return;
    if (!search) this.#search = undefined;
    const hits = search?.(query) ?? [];
    this.#list.replaceChildren(...hits.map(entryOf));
    if (!search) this.#status.textContent = 'The index could not be loaded. Type to try again.';
    else if (query === '') this.#status.textContent = 'Type a word, such as preview.';
    else if (hits.length === 0) this.#status.textContent = `Nothing was found for ${query}.`;
    else this.#status.textContent = hits.length === 1 ? 'One place' : `${hits.length} places`;
  }

  /** Arrows go through the places that were found; Enter in the field opens the first one. */
  #move(event: KeyboardEvent): void {
    const links = [...this.#list.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    if (event.key === 'Enter' && at < 0) links[0]?.click();
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    const next = at + (event.key === 'ArrowDown' ? 1 : -1);
    (links[next] ?? (next < 0 ? this.#input : links.at(-1)))?.focus();
  }
}

async function loadSearch(): Promise<Search> {
  const [{ createSearch }, passages] = await Promise.all([
    import('./search.ts'),
    fetch('search.json').then((response) => response.json()),
  ]);
  return createSearch(passages);
}

function entryOf({ href, title, heading, excerpt }: Hit): HTMLLIElement {
  const link = document.createElement('a');
  link.href = href;
  link.append(part('strong', heading || title), part('span', title), part('p', excerpt));
  const entry = document.createElement('li');
  entry.append(link);
  return entry;
}

function part(tag: string, text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
