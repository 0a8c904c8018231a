/** The size of a terminal in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The size of a terminal that has not reported one yet. */
export const FIRST_SIZE: TerminalSize = { columns: 80, rows: 24 };
