import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** What `npm pack` made of one package. */
export interface Packed {
  name: string;
  tarball: string;
  /** Paths within the package. */
  files: string[];
}

/** Compiles our packages and packs them, as for publication. */
export async function packPackages(names: readonly string[], into: string): Promise<Map<string, Packed>> {
  await run(process.execPath, [join(root, 'scripts/build-packages.mjs')]);
  const folders = names.map((name) => `./libs/${name}`);
  const npm = ['pack', '--json', '--pack-destination', into, ...folders];
  const { stdout } = await run('npm', npm, { cwd: root, shell: process.platform === 'win32' });
  const made = JSON.parse(stdout) as { name: string; filename: string; files: { path: string }[] }[];
  return new Map(
    made.map(({ name, filename, files }) => [
      name,
      { name, tarball: join(into, filename), files: files.map(({ path }) => path) },
    ]),
  );
}

/**
 * A directory outside this repository in which `manifest` is installed: our own packages from their tarballs, those of
 * others as links to the copies that this repository has, and nothing that nobody declares.
 */
export async function freshProject(
  manifest: Manifest,
  packed: ReadonlyMap<string, Packed>,
  parent: string,
): Promise<string> {
  const home = await mkdtemp(join(parent, 'project-'));
  await writeFile(join(home, 'package.json'), JSON.stringify({ private: true, type: 'module', ...manifest }));
  const modules = join(home, 'node_modules');
  const installed = new Set<string>();
  const install = async ({
    dependencies,
    devDependencies,
    peerDependencies,
    optionalDependencies,
  }: Manifest): Promise<void> => {
    for (const name of Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies, ...optionalDependencies })) {
      if (installed.has(name)) continue;
      installed.add(name);
      const place = join(modules, name);
      await mkdir(dirname(place), { recursive: true });
      const ours = packed.get(name);
      if (ours) {
        await mkdir(place);
        await run('tar', ['-xzf', ours.tarball, '-C', place, '--strip-components=1']);
        await install({ ...manifestIn(place), devDependencies: {} });
      } else if (existsSync(join(root, 'node_modules', name)) || !optionalDependencies?.[name]) {
        await symlink(join(root, 'node_modules', name), place, 'junction');
      }
    }
  };
  await install(manifest);
  return home;
}

/** As {@link freshProject}, with the files of an example. */
export async function freshExample(name: string, packed: ReadonlyMap<string, Packed>, parent: string): Promise<string> {
  const directory = join(root, 'examples', name);
  const home = await freshProject(manifestIn(directory), packed, parent);
  const isOwn = (path: string) => !/[\\/](dist|node_modules)$/.test(path);
  await cp(directory, home, { recursive: true, filter: isOwn });
  return home;
}

/** For fresh projects; its path is without symbolic links, as programs report theirs. */
export async function workshop(): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), 'soleil-packages-')));
}

function manifestIn(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}
