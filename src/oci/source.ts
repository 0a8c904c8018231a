import type { Bytes } from './bytes.ts';
import type { Context } from './context.ts';
import type { Digest } from './digest.ts';
import type { ConfigFile } from './image.ts';

/** Where an image comes from: a registry, a layout, an archive. */
export interface ImageSource {
  /** The canonical reference. */
  readonly reference: string;
  /** Finds the image for our machine. @throws ImageError */
  resolve(context: Context): Promise<ResolvedImage>;
}

/** An image as its source describes it; all of this is verified. */
export interface ResolvedImage {
  /** Of its manifest. */
  readonly digest: Digest;
  /** The JSON of its configuration, and what it says. */
  readonly configText: string;
  readonly config: ConfigFile;
  /** The lowest first. */
  readonly layers: readonly SourceLayer[];
  /** How many layers may be read at a time. */
  readonly parallel: number;
}

export interface SourceLayer {
  readonly diffId: Digest;
  /** Of the bytes as the source has them, compressed or not. Unknown for some archives. */
  readonly digest: Digest | undefined;
  /** Their number. */
  readonly size: number;
  /** Layers are best read in ascending order of this. */
  readonly position: number;
  /** The bytes, not verified. */
  open(context: Context): Bytes;
}
