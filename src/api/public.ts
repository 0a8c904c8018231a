/** The names that both entries export. */
export type {
  MakeOptions,
  ReadOptions,
  RemoveOptions,
  RenameOptions,
  WatchOptions,
  WriteOptions,
} from '../container/container-files.ts';
export { MemoryFolder, type MemoryFolderOptions } from '../folders/memory-folder.ts';
export {
  type Access,
  type Capacity,
  type Changes,
  type ExtendedAttributes,
  type FileStatus as SharedFileStatus,
  type FolderEntry as SharedFolderEntry,
  FolderError,
  type OpenFile,
  type Owner,
  type RenameRule,
  type SharedFolder,
  type Way,
} from '../folders/shared-folder.ts';
export type { StoredFolderItem as BrowserFolderItem } from '../folders/stored-folders.ts';
export type { RequestOptions } from '../http/client.ts';
export type { HttpRequest } from '../http/request-head.ts';
export type { ProxiedResponse } from '../http/response.ts';
export type {
  BootFigures,
  Connection,
  FileChange,
  FileStatus,
  FileType,
  FolderEntry,
  NetworkStatus,
  Plain,
  PortChange,
  Refusal,
  RefusalReason,
  RelayLimit,
} from '../machine/machine.ts';
export type { Digest } from '../oci/digest.ts';
export type { ImageConfig } from '../oci/image.ts';
export type { PullEvent } from '../oci/pull.ts';
export type { ImageName } from '../oci/reference.ts';
export type { Credentials, FindCredentials } from '../oci/registry-auth.ts';
export {
  BrowserFolder,
  type MountedFolder,
  type PickedDirectory,
} from './browser-folder.ts';
export type { Builder } from './builder.ts';
export type { Channel, ChannelMessage, JsonValue } from './channel.ts';
export type { Child, Output, Signal } from './child.ts';
export { Command } from './command.ts';
export type { Configuration } from './configuration.ts';
export { Container, type MountOptions } from './container.ts';
export * from './errors.ts';
export type { ContainerFs } from './files.ts';
export type { PublishedPort } from './host.ts';
export type { InspectOptions, StorageUse, StoredImage } from './images.ts';
export * as images from './images.ts';
export type { KeptContainer, StartOptions } from './kept-containers.ts';
export * as containers from './kept-containers.ts';
export type { BrowserFolderMount, FolderMount, LaunchOptions } from './kept-options.ts';
export type {
  ImageDescription,
  ImageLocation,
  LoadImageOptions,
  PickedImage,
  PullPolicy,
  SourceOptions,
} from './load-image.ts';
export type { CommitOptions } from './local-images.ts';
export type { Network, Size } from './machine-settings.ts';
export type {
  ContainerEvents,
  ExecOptions,
  RunningContainer,
  SaveOptions,
  Stats,
  StopOptions,
} from './running-container.ts';
export type { Stdio, Terminal } from './stdio.ts';
