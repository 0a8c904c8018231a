/** A failure of the place where images are kept that one line explains. */
export class StorageError extends Error {
  override name = 'StorageError';
}

/** There is no room left, or the browser grants no more. */
export class StorageFullError extends StorageError {
  override name = 'StorageFullError';
}
