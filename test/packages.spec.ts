import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');

/** What a package needs though it never names it, for each import that brings this about. */
const needsToo: Record<string, string[]> = {
  // Every Nest package works only beside the core, and compiled decorators call Reflect.metadata.
  '@nestjs/common': ['@nestjs/core', 'reflect-metadata'],
  // Loaded by name: by Nest for an HTTP server and for a gateway, by TypeORM for a DataSource.
  '@nestjs/core': ['@nestjs/platform-express', 'rxjs'],
  '@nestjs/websockets': ['@nestjs/platform-socket.io'],
  typeorm: ['pg'],
};

interface Manifest {
  name: string;
  private?: boolean;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

interface Workspace {
  name: string;
  directory: string;
  manifest: Manifest;
}

const workspaces = ['libs', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .map((name) => ({ name: `${folder}/${name}`, directory: join(root, folder, name) }))
    .filter(({ directory }) => existsSync(join(directory, 'package.json')))
    .map((workspace): Workspace => ({
      ...workspace,
      manifest: JSON.parse(readFileSync(join(workspace.directory, 'package.json'), 'utf8')),
    })),
);
const packages = workspaces.filter(({ name }) => name.startsWith('libs/'));

it.each(workspaces)('$name declares what it imports, and nothing else', ({ directory, manifest }) => {
  const { dependencies = {}, peerDependencies = {} } = manifest;
  const imported = importedPackages(directory);
  const needed = new Set(imported.flatMap((name) => [name, ...(needsToo[name] ?? [])]));
  // An application installs what its packages leave to it; a package leaves that to the application in turn.
  if (manifest.private) for (const name of needed) peersOf(name).forEach((peer) => needed.add(peer));
  expect([...Object.keys(dependencies), ...Object.keys(peerDependencies)].sort()).toEqual([...needed].sort());
});

it.each(packages)('$name leaves to the application what may exist there only once', ({ manifest }) => {
  // A second copy would bring other classes of the same name, which Nest does not find as the first one's.
  const once = /^(@nestjs\/(?!swagger)|@soleil\/bus$|typeorm$|reflect-metadata$|rxjs$|react$|@soleil\/sync-client$)/;
  expect(Object.keys(manifest.dependencies ?? {}).filter((name) => once.test(name))).toEqual([]);
});

it.each(packages)('$name is compiled after the packages of ours that it imports', ({ directory }) => {
  const { config } = ts.readConfigFile(join(directory, 'tsconfig.build.json'), (path) => readFileSync(path, 'utf8'));
  const references = (config as { references: { path: string }[] }).references.map(({ path }) => path);
  const ours = importedPackages(directory).filter((name) => name.startsWith('@soleil/'));
  expect(references.sort()).toEqual(ours.map((name) => `../${name.slice('@soleil/'.length)}/tsconfig.build.json`).sort());
});

/** What a package of ours leaves to the application. */
function peersOf(name: string): string[] {
  return Object.keys(packages.find(({ manifest }) => manifest.name === name)?.manifest.peerDependencies ?? {});
}

/** The packages that the shipped sources name, types included, each once. */
function importedPackages(directory: string): string[] {
  const names = sourcesIn(directory).flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    const resolved = [...text.matchAll(/createRequire\(import\.meta\.url\)\.resolve\('([^']+)'\)/g)].map(
      ([, name]) => name!,
    );
    return [...ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName), ...resolved];
  });
  const foreign = names.filter((name) => !name.startsWith('.') && !name.startsWith('node:'));
  return [...new Set(foreign.map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/')))];
}

function sourcesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(
      (path) => /\.(ts|tsx|mjs)$/.test(path) && !/\.d\.ts$|spec\.tsx?$|(^|[\\/])(test|dist|node_modules)[\\/]/.test(path),
    )
    .map((path) => join(directory, path));
}
