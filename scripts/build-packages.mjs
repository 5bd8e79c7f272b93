// `npm run build:packages`: compiles every package of libs/ into its own dist/, ready for `npm pack`. What did not change
// is not compiled again.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { node, root, stop } from './install.mjs';

const libs = join(root, 'libs');
for (const name of readdirSync(libs)) removeOrphans(join(libs, name));
if ((await node('node_modules/typescript/bin/tsc', '-b', 'tsconfig.packages.json')) !== 0) {
  stop('The packages could not be built; the lines above say why.');
}

/** The compiler leaves behind what it made of a source that is gone, and `npm pack` would ship it. */
function removeOrphans(directory) {
  const dist = join(directory, 'dist');
  if (!existsSync(dist)) return;
  for (const path of readdirSync(dist, { recursive: true })) {
    const [, stem] = /^(.+?)(\.d\.ts|\.js|\.js\.map)$/.exec(path) ?? [];
    if (stem && !['.ts', '.tsx'].some((ending) => existsSync(join(directory, 'src', stem + ending))))
      rmSync(join(dist, path));
  }
}
