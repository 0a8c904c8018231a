/** The errors of the programming interface. The message of each is one line that says what to do. */
export { FileError } from '../container/errors.ts';
export { HttpError } from '../http/errors.ts';
export { ConnectError, MachineError } from '../machine/errors.ts';
export { ImageError, type ImageErrorKind } from '../oci/errors.ts';
export { OptionError } from '../options/option-error.mjs';
export { ContainerExistsError, ContainerInUseError } from '../storage/container-store.ts';
export { StorageError, StorageFullError } from '../storage/errors.ts';
