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
