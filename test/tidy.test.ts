import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FAULTS } from '../src/errors/catalogue.ts';
import * as code from './house/code-rules.ts';
import { brokenLinks, missingMentions, oneTitle, roomReadme } from './house/document-rules.ts';
import { floorViolations, ROOMS } from './house/floors.ts';
import { inexactVersions, installedLicences, isFreeLicence } from './house/package-rules.ts';
import { isCode, isDocument, isTest, projectFiles, ROOT, readText, sizeOf, violations } from './house/tree.ts';

const FILES = projectFiles();
const CODE = FILES.filter(isCode);
const PRODUCT = CODE.filter((path) => !isTest(path));
const DOMAIN = PRODUCT.filter((path) => path.startsWith('src/domain/'));
const DOCUMENTS = FILES.filter(isDocument);
/** The rules name what they forbid, so they are not read by themselves. */
const NOT_THE_RULES = FILES.filter((path) => !path.startsWith('test/house/') && path !== 'test/tidy.test.ts');
const MANIFEST = JSON.parse(readText('package.json'));
const LOCK = JSON.parse(readText('package-lock.json'));

const MEGABYTE = 1_000_000;

describe('code', () => {
  test('every floor and room imports only what the table of the house allows', () => {
    const imports = PRODUCT.filter((path) => path.startsWith('src/'));
    expect(violations(imports, floorViolations)).toEqual([]);
  });

  test('the domain has no clock, no dice, no promises and does not talk to the outside', () => {
    expect(violations(DOMAIN, code.domainPurity)).toEqual([]);
  });

  test('no file is longer than 500 lines', () => {
    expect(violations(CODE, code.fileLength)).toEqual([]);
  });

  test('no function is longer than 100 lines', () => {
    expect(violations(PRODUCT, code.functionLength)).toEqual([]);
  });

  test('no test is focused or skipped without a reason', () => {
    expect(violations(NOT_THE_RULES.filter(isTest), code.focusedTests)).toEqual([]);
  });

  test('no reminders are left behind', () => {
    const texts = NOT_THE_RULES.filter((path) => isCode(path) || /\.(md|ya?ml|sol|sh|service)$/.test(path));
    expect(violations(texts, code.reminders)).toEqual([]);
  });

  test('files and declarations carry the names of the field', () => {
    expect(violations(NOT_THE_RULES.filter(isCode), code.names)).toEqual([]);
  });

  test('nothing refers to a text that a reader of the clone does not have', () => {
    const texts = NOT_THE_RULES.filter((path) => isCode(path) || /\.(md|sol|sh|ya?ml)$/.test(path));
    expect(violations(texts, code.outsideTexts)).toEqual([]);
  });

  test('nothing names a path of one machine or the address of a registry', () => {
    const texts = NOT_THE_RULES.filter((path) => !/\.(png|ico|woff2|parquet)$/.test(path));
    expect(violations(texts, code.machinePaths)).toEqual([]);
  });
});

describe('documents', () => {
  test('every document has one title', () => {
    expect(violations(DOCUMENTS, oneTitle)).toEqual([]);
  });

  test('every link inside the project leads somewhere', () => {
    expect(violations(DOCUMENTS, brokenLinks)).toEqual([]);
  });

  test('every file that a document names is there', () => {
    expect(violations(DOCUMENTS, missingMentions)).toEqual([]);
  });

  test('every room of the domain has a README with its purpose, words, invariants and standard', () => {
    const folders = readdirSync(join(ROOT, 'src/domain'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const readmes = folders.map(({ name }) => `src/domain/${name}/README.md`);
    expect(readmes.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(violations(readmes, roomReadme)).toEqual([]);
  });

  test('every room of the table exists', () => {
    expect(Object.keys(ROOMS).filter((room) => !existsSync(join(ROOT, 'src/domain', room)))).toEqual([]);
  });
});

describe('package', () => {
  test('versions are exact', () => {
    expect(inexactVersions(MANIFEST)).toEqual([]);
  });

  test('the lock is complete: npm run fix adds what npm left out', () => {
    const { stderr } = spawnSync(process.execPath, ['scripts/complete-lock.mjs', '--check'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
  });

  test('the lock names no registry', () => {
    expect(
      Object.values<{ resolved?: string }>(LOCK.packages).filter(({ resolved }) => resolved !== undefined),
    ).toEqual([]);
  });

  test('every command has a launcher that may be executed', () => {
    const launchers = readdirSync(join(ROOT, 'bin')).filter((file) => file !== 'run-app.js');
    const notExecutable = launchers.filter((file) => (statSync(join(ROOT, 'bin', file)).mode & 0o777) !== 0o755);
    expect(notExecutable, 'chmod 755 these').toEqual([]);
    const withoutShebang = launchers.filter((file) => !readText(`bin/${file}`).startsWith('#!/usr/bin/env node\n'));
    expect(withoutShebang).toEqual([]);
    const missing = Object.values<string>(MANIFEST.bin).filter(
      (path) => !launchers.includes(path.slice('bin/'.length)),
    );
    expect(missing).toEqual([]);
  });

  test('every installed package may be used in an Apache-2.0 product', () => {
    expect(installedLicences().filter(({ licence }) => !isFreeLicence(licence))).toEqual([]);
  });

  test('no file is larger than a megabyte', () => {
    expect(FILES.filter((path) => sizeOf(path) > MEGABYTE)).toEqual([]);
  });

  test('error codes differ by more than their case', () => {
    const codes = Object.keys(FAULTS).map((name) => name.toLowerCase());
    expect(codes.filter((name, index) => codes.indexOf(name) !== index)).toEqual([]);
    expect(Object.keys(FAULTS).filter((name) => !/^[A-Z][A-Z0-9_]*[A-Z0-9]$/.test(name))).toEqual([]);
  });
});
