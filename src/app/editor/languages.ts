/** The languages of the editor. Each is loaded when the first file of it is opened. */
import { LanguageSupport, StreamLanguage, type StreamParser } from '@codemirror/language';

interface Language {
  /** Matches the names of its files. */
  readonly names: RegExp;
  /** Matches the program in the first line of its scripts. */
  readonly program?: RegExp;
  load(): Promise<LanguageSupport>;
}

const legacy = (parser: StreamParser<unknown>) => new LanguageSupport(StreamLanguage.define(parser));

const LANGUAGES: readonly Language[] = [
  {
    names: /\.[cm]?[jt]sx?$/i,
    program: /^(node|deno|bun|tsx)/,
    load: async () =>
      (await import('@codemirror/lang-javascript')).javascript({ jsx: true, typescript: true }),
  },
  {
    names: /\.pyw?i?$|^SCons/i,
    program: /^python/,
    load: async () => (await import('@codemirror/lang-python')).python(),
  },
  {
    names: /\.(c|h|cc|cpp|cxx|hpp|hh|hxx|ino)$/i,
    load: async () => (await import('@codemirror/lang-cpp')).cpp(),
  },
  { names: /\.go$/i, load: async () => (await import('@codemirror/lang-go')).go() },
  { names: /\.rs$/i, load: async () => (await import('@codemirror/lang-rust')).rust() },
  {
    names: /\.(json|jsonc|webmanifest|map|ipynb)$|^\.(babel|eslint|prettier)rc$/i,
    load: async () => (await import('@codemirror/lang-json')).json(),
  },
  { names: /\.ya?ml$/i, load: async () => (await import('@codemirror/lang-yaml')).yaml() },
  { names: /\.(html?|xhtml|vue|svelte)$/i, load: async () => (await import('@codemirror/lang-html')).html() },
  { names: /\.(css|scss|less)$/i, load: async () => (await import('@codemirror/lang-css')).css() },
  {
    names: /\.(md|markdown)$|^README$/i,
    load: async () => (await import('@codemirror/lang-markdown')).markdown(),
  },
  {
    names: /\.(sh|bash|zsh|ksh|ash)$|^\.?(bash|zsh)?(rc|_?profile)$|^(APKBUILD|PKGBUILD)$/i,
    program: /^(ba|da|z|k|a)?sh$/,
    load: async () => legacy((await import('@codemirror/legacy-modes/mode/shell')).shell),
  },
  {
    names: /^(Dockerfile|Containerfile)|\.dockerfile$/i,
    load: async () => {
      const { dockerFile } = await import('@codemirror/legacy-modes/mode/dockerfile');
      return legacy({ ...dockerFile, name: 'dockerfile' });
    },
  },
  { names: /\.toml$/i, load: async () => legacy((await import('@codemirror/legacy-modes/mode/toml')).toml) },
  {
    names: /\.(ini|cfg|conf|properties|env|service)$|^\.env|^\.(git|npm|editor)(config|rc)$/i,
    load: async () => legacy((await import('@codemirror/legacy-modes/mode/properties')).properties),
  },
  {
    names: /\.(rb|gemspec)$|^(Gemfile|Rakefile)$/i,
    program: /^ruby/,
    load: async () => legacy((await import('@codemirror/legacy-modes/mode/ruby')).ruby),
  },
  {
    names: /\.(pl|pm|t)$/i,
    program: /^perl/,
    load: async () => legacy((await import('@codemirror/legacy-modes/mode/perl')).perl),
  },
  {
    names: /\.lua$/i,
    program: /^lua/,
    load: async () => legacy((await import('@codemirror/legacy-modes/mode/lua')).lua),
  },
  {
    names: /\.(xml|svg|xsl|plist)$/i,
    load: async () => legacy((await import('@codemirror/legacy-modes/mode/xml')).xml),
  },
  {
    names: /\.sql$/i,
    load: async () => legacy((await import('@codemirror/legacy-modes/mode/sql')).standardSQL),
  },
  {
    names: /\.(diff|patch)$/i,
    load: async () => legacy((await import('@codemirror/legacy-modes/mode/diff')).diff),
  },
];

/** `#!/bin/sh`, `#!/usr/bin/env -S node --flag` */
const SHEBANG = /^#!\s*(?:\S*\/)?(?:env\s+(?:-\S+\s+)*)?(?:\S*\/)?(?<program>[^\s/]+)/;

/** Returns the language of a file by its name, or else by its first line. */
export function languageOf(name: string, firstLine: string): Language | undefined {
  const program = SHEBANG.exec(firstLine)?.groups?.program ?? '';
  return (
    LANGUAGES.find(({ names }) => names.test(name)) ??
    LANGUAGES.find((language) => language.program?.test(program))
  );
}
