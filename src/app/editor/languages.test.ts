import { expect, it } from 'vitest';
import { languageOf } from './languages.ts';

it.each([
  ['main.py', 'python'],
  ['App.tsx', 'typescript'],
  ['main.c', 'cpp'],
  ['main.go', 'go'],
  ['lib.rs', 'rust'],
  ['package.json', 'json'],
  ['compose.yml', 'yaml'],
  ['index.html', 'html'],
  ['style.css', 'css'],
  ['README.md', 'markdown'],
  ['Dockerfile', 'dockerfile'],
])('knows %s', async (name, language) => {
  const { language: loaded } = (await languageOf(name, '')?.load()) ?? {};
  expect(loaded?.name).toBe(language);
});

it.each([
  ['#!/bin/sh', 'run', 'shell'],
  ['#!/usr/bin/env -S node --harmony', 'run', 'typescript'],
  ['#! /usr/bin/python3', 'run', 'python'],
  ['#!/usr/bin/env bash', 'x.py', 'python'],
])('knows %s in %s', async (firstLine, name, language) => {
  const { language: loaded } = (await languageOf(name, firstLine)?.load()) ?? {};
  expect(loaded?.name).toBe(language);
});

it('knows no language of other files', () => {
  expect(languageOf('passwd', 'root:x:0:0')).toBeUndefined();
  expect(languageOf('notes', '#!/opt/unknown')).toBeUndefined();
});
