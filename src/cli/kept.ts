/** Kept containers, as the commands find them. */

// The host of the store.
import '../api/node.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { findStopped } from '../api/container-info.ts';
import { ContainerInUseError } from '../api/errors.ts';
import { get } from '../api/kept-list.ts';
import type { ContainerInfo } from '../docker/containers.ts';
import { NotFoundError } from '../docker/errors.ts';
import { findContainer, type RemoteContainer } from './client.ts';
import type { Sockets } from './sockets.ts';

/** How long an owner that has ended its container may take to let go of the files, in ms. */
const PATIENCE = 15_000;
const INTERVAL = 100;

/** A container by its name, or the beginning of its ID: one that runs, or one that is kept. */
export type Found =
  | { readonly running: RemoteContainer; readonly stopped?: undefined }
  | { readonly stopped: ContainerInfo; readonly running?: undefined };

/** @throws DockerError if there is none, or several have an ID that begins so */
export async function findAny(sockets: Sockets, text: string): Promise<Found> {
  try {
    return { running: await findContainer(sockets, text) };
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return { stopped: await findStopped(text) };
  }
}

export async function isKept(name: string): Promise<boolean> {
  return (await get(name)) !== undefined;
}

/** Waits for an owner that is about to end. */
export async function whenStopped<T>(action: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ContainerInUseError) || Date.now() > end) throw error;
      await delay(INTERVAL);
    }
  }
}
