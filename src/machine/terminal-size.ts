/** Of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Of a terminal that has not told its size yet. */
export const FIRST_SIZE: TerminalSize = { columns: 80, rows: 24 };
