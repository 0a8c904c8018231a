import { messageOf } from '../text/message.ts';
import { ImageError } from './errors.ts';

/**
 * Wraps the loading of a decoder, so that its first use loads it. The use after a failure tries again.
 * @param format the name that the message uses
 */
export function lazyDecoder<T>(format: string, load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((error) => {
      loading = undefined;
      const message = `the ${format} decoder cannot be loaded: ${messageOf(error)}`;
      throw new ImageError(message, 'network', { cause: error });
    });
    return loading;
  };
}
