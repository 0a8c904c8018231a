/** Attributes of inputs for text in no human language. */
export const PLAIN_TEXT = {
  autoComplete: 'off',
  autoCapitalize: 'none',
  autoCorrect: 'off',
  spellCheck: false,
} as const;
