import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language';
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension, Transaction } from '@codemirror/state';
import {
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { type Draft, differenceOf } from '../model/text-file.ts';
import { indentOf } from './indent.ts';
import { languageOf } from './languages.ts';
import { colours, look } from './look.ts';

export interface CodeEvents {
  onChange(draft: Draft): void;
  onSave(): void;
  /** The key that leaves the editor, which takes Tab. */
  onLeaveKey(): void;
}

export interface CodeOptions {
  /** The name of the file. */
  readonly name: string;
  readonly text: string;
  readonly isWrapped: boolean;
  readonly isDark: boolean;
}

/** Extensions for texts that are read and for those that are edited. */
export const READING: Extension = [
  lineNumbers(),
  highlightSpecialChars(),
  drawSelection(),
  // Carriage returns that end no line are characters of the file.
  EditorState.lineSeparator.of('\n'),
  colours,
];

const EDITING: Extension = [
  READING,
  foldGutter(),
  highlightActiveLineGutter(),
  highlightActiveLine(),
  history(),
  dropCursor(),
  EditorState.allowMultipleSelections.of(true),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  highlightSelectionMatches(),
  search({ top: true }),
];

/** A file in CodeMirror. */
export class CodeView {
  readonly #view: EditorView;
  readonly #look = new Compartment();
  readonly #wrapping = new Compartment();
  readonly #language = new Compartment();

  constructor(parent: HTMLElement, { name, text, isWrapped, isDark }: CodeOptions, events: CodeEvents) {
    const run = (action: () => void) => () => {
      action();
      return true;
    };
    const doc = EditorState.create({
      doc: text,
      extensions: [
        keymap.of([
          { key: 'Mod-s', run: run(events.onSave), preventDefault: true },
          { key: 'Ctrl-F6', run: run(events.onLeaveKey) },
        ]),
        EDITING,
        keymap.of([
          ...closeBracketsKeymap,
          ...searchKeymap,
          ...defaultKeymap,
          ...historyKeymap,
          ...foldKeymap,
          indentWithTab,
        ]),
        EditorView.contentAttributes.of({
          'aria-label': name,
          'aria-description': 'Control F6 leaves the editor',
          spellcheck: 'false',
        }),
        EditorView.updateListener.of(({ docChanged, state, transactions }) => {
          const isOurs = transactions.every((one) => one.annotation(Transaction.remote));
          if (docChanged && !isOurs) events.onChange(state.doc);
        }),
        indentUnit.of(indentOf(text)),
        this.#look.of(look(isDark)),
        this.#wrapping.of(isWrapped ? EditorView.lineWrapping : []),
        this.#language.of([]),
      ],
    });
    this.#view = new EditorView({ state: doc, parent });
    void this.#colour(name);
  }

  /** Shows another text of the file. What is the same keeps its cursors and marks. */
  setText(text: string): void {
    const changes = differenceOf(this.#view.state.doc.toString(), text);
    this.#view.dispatch({ changes, annotations: Transaction.remote.of(true) });
  }

  setWrapped(isWrapped: boolean): void {
    this.#view.dispatch({ effects: this.#wrapping.reconfigure(isWrapped ? EditorView.lineWrapping : []) });
  }

  setDark(isDark: boolean): void {
    this.#view.dispatch({ effects: this.#look.reconfigure(look(isDark)) });
  }

  /** Selects a part of a line, and shows it in the middle. */
  goTo({ line, column, length }: { line: number; column: number; length: number }): void {
    const { doc } = this.#view.state;
    const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const anchor = Math.min(from + column, to);
    const head = Math.min(anchor + length, to);
    const effects = EditorView.scrollIntoView(anchor, { y: 'center' });
    this.#view.dispatch({ selection: { anchor, head }, effects });
  }

  /** Opens the panel that finds and replaces. */
  find(): void {
    openSearchPanel(this.#view);
  }

  focus(): void {
    this.#view.focus();
  }

  dispose(): void {
    this.#view.destroy();
  }

  async #colour(name: string): Promise<void> {
    const language = languageOf(name, this.#view.state.doc.line(1).text);
    // Without its colours the file can still be edited.
    const support = await language?.load().catch(() => undefined);
    if (support) this.#view.dispatch({ effects: this.#language.reconfigure(support) });
  }
}
