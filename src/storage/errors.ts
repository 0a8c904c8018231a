/** A failure of the storage for images that one line explains. */
export class StorageError extends Error {
  override name = 'StorageError';
}

/** No room is left, or the browser grants no more. */
export class StorageFullError extends StorageError {
  override name = 'StorageFullError';
}
