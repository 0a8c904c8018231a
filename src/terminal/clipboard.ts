/** @returns the text in the clipboard, or undefined if the browser does not allow that */
export async function readClipboard(): Promise<string | undefined> {
  try {
    return await navigator.clipboard.readText();
  } catch {
    return undefined;
  }
}

/**
 * @returns whether the browser allowed it: some ask, some refuse, and on pages without https there is no
 *   clipboard
 */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
