/** The URL of the page, ending in a slash. */
export const BASE = new URL('.', document.baseURI).href;
