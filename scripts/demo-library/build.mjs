#!/usr/bin/env node
// Writes the engraved parts and the recordings of the demo library; with `--check` only compares,
// and exits with 1 when a file is not what the sources give. See README.md beside this file.

import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { writeFileSync } from 'node:fs';
import { findProblems, readIfThere } from './check.mjs';
import { hasEncoder, isCurrent, record } from './mp3.mjs';
import { makePdfs, readTunes, recordingsOf } from './sources.mjs';

const LIBRARY = fileURLToPath(new URL('../../library/', import.meta.url));

const options = process.argv.slice(2);
if (options.length === 0) build(readTunes());
else if (options.length === 1 && options[0] === '--check') check(readTunes());
else {
  say(['Usage: node scripts/demo-library/build.mjs [--check]']);
  process.exitCode = 2;
}

function build(tunes) {
  const pdfs = makePdfs(tunes);
  for (const [name, bytes] of pdfs) writeFileSync(path.join(LIBRARY, name), bytes);
  say([`${pdfs.size} PDF files written.`]);

  const stale = recordingsOf(tunes).filter(({ name, tune }) => {
    const mp3 = readIfThere(path.join(LIBRARY, name));
    return !mp3 || !isCurrent(mp3, tune.stamp);
  });
  if (stale.length > 0 && !hasEncoder()) {
    say([
      `"lame" is not installed, so these recordings were not made: ${stale.map(({ name }) => name).join(', ')}.`,
      'Install it (Debian: apt-get install lame; macOS: brew install lame) and run this again.',
    ]);
    process.exitCode = 1;
    return;
  }
  for (const { name, tune } of stale) writeFileSync(path.join(LIBRARY, name), record(tune));
  say([stale.length === 0 ? 'All recordings are current.' : `${stale.length} recordings made.`]);
}

function check(tunes) {
  const problems = findProblems(tunes, LIBRARY);
  say(problems.length === 0 ? ['The demo library is what its sources say.'] : problems);
  if (problems.length > 0) process.exitCode = 1;
}

function say(lines) {
  process.stdout.write(`${lines.join('\n')}\n`);
}
