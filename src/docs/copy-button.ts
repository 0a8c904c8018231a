import { copy } from '../terminal/clipboard.ts';

const SHOWN = 2000;

/** Adds a button to each block of code. */
export function addCopyButtons(): void {
  for (const block of document.querySelectorAll('article pre:not(.output pre)')) {
    const frame = document.createElement('div');
    frame.className = 'code';
    block.replaceWith(frame);
    frame.append(
      block,
      copyButton(() => block.textContent ?? ''),
    );
  }
}

function copyButton(text: () => string): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'copy';
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    button.textContent = (await copy(text())) ? 'Copied' : 'Refused by the browser';
    setTimeout(() => {
      button.textContent = 'Copy';
    }, SHOWN);
  });
  return button;
}
