import type { Bytes } from './bytes.ts';
import type { Context } from './context.ts';
import type { Digest } from './digest.ts';
import type { ConfigFile } from './image.ts';

/** Where an image comes from: a registry, a layout or an archive. */
export interface ImageSource {
  /** The canonical reference. */
  readonly reference: string;
  /**
   * The digest of the manifest of the image for our machine, if that takes one question; otherwise undefined.
   * @throws ImageError
   */
  current?(context: Context): Promise<Digest | undefined>;
  /** Finds the image for our machine. @throws ImageError */
  resolve(context: Context): Promise<ResolvedImage>;
}

/** An image as its source describes it. All of this is verified. */
export interface ResolvedImage {
  /** The digest of its manifest. */
  readonly digest: Digest;
  /** The JSON of its configuration, and its content. */
  readonly configText: string;
  readonly config: ConfigFile;
  /** All platforms for which the reference has an image. */
  readonly platforms: readonly string[];
  /** Whether none of them would be taken rather than this one. */
  readonly isBest: boolean;
  /** The lowest first. */
  readonly layers: readonly SourceLayer[];
  /** How many layers may be read at the same time. */
  readonly parallel: number;
}

export interface SourceLayer {
  readonly diffId: Digest;
  /** The digest of the bytes from the source, compressed or not. Some archives have none. */
  readonly digest: Digest | undefined;
  /** The number of these bytes. */
  readonly size: number;
  /** Reading layers in ascending order of this is fastest. */
  readonly position: number;
  /** Returns the bytes, not yet verified. */
  open(context: Context): Bytes;
}
