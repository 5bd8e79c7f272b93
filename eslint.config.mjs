import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** Every package may import these of ours, and no others. Imports go downwards only. */
const mayImport = {
  'libs/sync-protocol': [],
  'libs/bus': [],
  'libs/devdb': [],
  'libs/auth': ['bus'],
  'libs/drive': ['bus'],
  'libs/content': ['bus', 'sync-protocol'],
  'libs/sync': ['bus', 'sync-protocol'],
  'libs/sync-client': ['sync-protocol'],
  'libs/sync-react': ['sync-client', 'sync-protocol'],
  'apps/platform': ['auth', 'bus', 'content', 'devdb', 'drive', 'sync', 'sync-protocol'],
  'apps/stage': ['sync-client', 'sync-protocol', 'sync-react'],
};
const packages = [
  'auth',
  'bus',
  'content',
  'devdb',
  'drive',
  'sync',
  'sync-client',
  'sync-protocol',
  'sync-react',
  'platform',
  'stage',
];

/** The floors within libs/sync, from the bottom: which folders a folder may not look up to, and what it must not touch. */
const syncFloors = {
  log: {
    above: ['fan-out', 'engine', 'ledger', 'gateway', 'rest'],
    foreign: ['socket.io', '@nestjs/websockets', '@soleil/bus'],
  },
  entities: {
    above: ['log', 'fan-out', 'engine', 'ledger', 'gateway', 'rest'],
    foreign: ['socket.io', '@nestjs/websockets', '@soleil/bus'],
  },
  'fan-out': {
    above: ['engine', 'ledger', 'gateway', 'rest'],
    foreign: ['socket.io', '@nestjs/websockets', '@soleil/bus', 'typeorm', 'pg'],
  },
  ledger: { above: ['fan-out', 'engine', 'gateway', 'rest'], foreign: ['socket.io', '@nestjs/websockets'] },
  engine: {
    above: ['fan-out', 'gateway', 'rest'],
    foreign: ['socket.io', '@nestjs/websockets', 'node:fs', 'node:fs/promises'],
  },
  gateway: { above: ['rest'], foreign: ['typeorm', 'pg'] },
};

/** The floors within libs/sync-client: pure state and stores below, the connection above, the client on top. No DOM frameworks. */
const clientForeign = ['react', 'react-dom', 'socket.io', '@nestjs/common'];

const restrict = (files, patterns) => ({
  files,
  ignores: ['**/*.spec.ts', '**/*.spec.tsx', '**/*-spec.ts', '**/test/**'],
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
});

const packageFloors = Object.entries(mayImport)
  .filter(([folder]) => folder !== 'libs/sync')
  .map(([folder, allowed]) =>
    restrict([`${folder}/**/*.{ts,tsx}`], packagePatterns(allowed, folder === 'libs/sync-client' ? clientForeign : [])),
  );

const syncFloorRules = [
  restrict(['libs/sync/src/**/*.ts'], packagePatterns(mayImport['libs/sync'])),
  ...Object.entries(syncFloors).map(([folder, { above, foreign }]) =>
    restrict(
      [`libs/sync/src/${folder}/**/*.ts`],
      [
        ...packagePatterns(mayImport['libs/sync'], foreign),
        {
          regex: `^\\.\\./(${above.join('|')})/`,
          message: `${folder} is below ${above.join(', ')}: import downwards only.`,
        },
      ],
    ),
  ),
];

function packagePatterns(allowed, foreign = []) {
  const forbidden = packages.filter((name) => !allowed.includes(name));
  return [
    {
      regex: `^@soleil/(${forbidden.join('|')})(/|$)`,
      message: `Only ${allowed.map((name) => `@soleil/${name}`).join(', ') || 'no other package'} may be imported here.`,
    },
    ...foreign.map((name) => ({ regex: `^${name}($|/)`, message: `${name} is not this floor's business.` })),
  ];
}

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      'coverage/**',
      '.data/**',
      '**/*.mjs',
      '**/*.cjs',
      'apps/stage/vite.config.ts',
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  { files: ['apps/stage/**/*.{ts,tsx}', 'libs/sync-react/**/*.{ts,tsx}'], ...hooks.configs.flat['recommended-latest'] },
  {
    files: [
      'apps/platform/src/main.ts',
      'bench/**',
      'examples/**',
      'scripts/**',
      'libs/devdb/**',
      'test/chaos/kill.ts',
      'test/chaos/operations.ts',
      'test/simulation/simulate.ts',
    ],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.spec.ts', '**/*.spec.tsx', '**/*-spec.ts', 'test/**', '**/test/**'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
  ...packageFloors,
  ...syncFloorRules,
);
