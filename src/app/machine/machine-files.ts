import { MachineFiles } from '../../api/machine-files.ts';
import { readRelease } from '../offline/release.ts';

/** The URL of the page, ending in a slash. */
export const BASE = new URL('.', document.baseURI).href;

/** Kept for all sessions of the page. */
export const machineFiles = new MachineFiles(BASE, readRelease().id);
