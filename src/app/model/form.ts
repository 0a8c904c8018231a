/** What the user filled in, as typed. */
export interface Form {
  /** An image reference; of a picked file, its name as `file://NAME`. */
  readonly image: string;
  readonly entrypoint: string;
  readonly args: string;
  readonly env: readonly Variable[];
  readonly memory: string;
  readonly cpus: string;
  readonly disk: string;
}

export interface Variable {
  readonly name: string;
  readonly value: string;
}

export type Field = keyof Form | 'credentials';

/** What is wrong with a field, in one line. */
export type FieldErrors = Partial<Record<Field, string>>;

/** The demo shell, so that a visitor can run something at once. */
export const DEFAULT_FORM: Form = {
  image: 'oci://images:busybox',
  entrypoint: '',
  args: '',
  env: [],
  memory: '512M',
  cpus: '1',
  disk: '1G',
};
