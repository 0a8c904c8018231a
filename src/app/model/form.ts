/** The form as the user typed it. */
export interface Form {
  /** An image reference. For a picked file, `file://` and its name. */
  readonly image: string;
  /** Such as `linux/arm64`, or empty for the best one of the image's. */
  readonly platform: string;
  readonly entrypoint: string;
  readonly args: string;
  readonly env: readonly Variable[];
  /** The working directory; empty for the image's. */
  readonly workdir: string;
  readonly memory: string;
  readonly cpus: string;
  readonly disk: string;
  /** Whether an init runs before the program: `1` or empty. */
  readonly init: string;
  /** Further devices, with commas between them. */
  readonly devices: string;
  /** `none`, or empty. */
  readonly network: string;
  /** Ports whose previews open by themselves, with commas between them. */
  readonly ports: string;
}

export interface Variable {
  readonly name: string;
  readonly value: string;
}

/** The relay is a setting of the browser. */
export type Field = keyof Form | 'credentials' | 'folders' | 'relay';

/** The error of each field, in one line. */
export type FieldErrors = Partial<Record<Field, string>>;

/** The demo shell, which a visitor can run at once. */
export const DEFAULT_FORM: Form = {
  image: 'oci://images:busybox',
  platform: '',
  entrypoint: '',
  args: '',
  env: [],
  workdir: '',
  memory: '512M',
  cpus: '1',
  disk: '1G',
  init: '',
  devices: '',
  network: '',
  ports: '',
};
