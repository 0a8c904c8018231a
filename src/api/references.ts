/** The names of images. */
export {
  formatReference,
  type ImageName,
  type PathReference,
  parseReference,
  type Reference,
  type RegistryReference,
} from '../oci/reference.ts';
