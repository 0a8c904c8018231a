import { useTheme } from '../app/stores/theme.ts';
import type { LinuxRunElement } from '../element/element.ts';
import { INTERPRETERS } from './interpreters.ts';

/** Adds a button to each block of code that readers can run, in a container and in their tab. */
export function addRunButtons(): void {
  for (const block of document.querySelectorAll<HTMLElement>('.runnable')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button button-main';
    button.textContent = 'Run';
    const bar = document.createElement('div');
    bar.className = 'run-bar';
    bar.append(button);
    button.addEventListener('click', () => void run(block, bar, button));
    block.append(bar);
  }
}

/** Puts a terminal in place of the bar, which has a button to run the block again. */
async function run(block: HTMLElement, bar: HTMLElement, button: HTMLButtonElement): Promise<void> {
  button.disabled = true;
  button.textContent = 'Loading';
  try {
    const terminal = await createTerminal();
    Object.assign(terminal, optionsOf(block));
    bar.replaceWith(terminal);
    terminal.focus();
  } catch {
    button.disabled = false;
    button.textContent = 'Not loaded: try again';
  }
}

function optionsOf(block: HTMLElement) {
  const code = block.querySelector('pre')?.textContent ?? '';
  const { language = '', image, program } = block.dataset;
  const [usual = '', interpreter = ''] = INTERPRETERS[language] ?? [];
  const { theme } = useTheme.getState();
  const args = `-c ${quote(code)}`;
  return { image: image ?? usual, entrypoint: program ?? interpreter, args, theme, autostart: true };
}

/** Most readers run nothing, so nobody loads the machine before a click. */
async function createTerminal(): Promise<LinuxRunElement> {
  const [{ configure }] = await Promise.all([import('../api/browser.ts'), import('../element/element.ts')]);
  configure({ assets: '../', server: '../' });
  return document.createElement('linux-run');
}

/** Quotes a word as in a shell. */
const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
