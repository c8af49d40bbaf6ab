// Typed promise rules, exhaustive switches, file size, and the rules that keep clock and randomness injected
// (DECISIONS D10). Formatting is biome's; layer boundaries are dependency-cruiser's.
import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

const injected =
  'clock and randomness are injected: take them from Clock or Random (src/clock.ts, src/random.ts)';
const names = (list) => list.map((name) => ({ name, message: injected }));

/** The four rules that together forbid ambient time and randomness. */
export const injectedRules = {
  'no-restricted-globals': [
    'error',
    ...names(['Date', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'crypto']),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Math', property: 'random', message: injected },
    ...['Date', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'crypto'].map((property) => ({
      object: 'globalThis',
      property,
      message: injected,
    })),
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        ...[
          'node:timers',
          'node:timers/promises',
          'timers',
          'timers/promises',
          'node:perf_hooks',
          'perf_hooks',
        ].map((name) => ({ name, message: injected })),
        ...['node:crypto', 'crypto'].map((name) => ({
          name,
          importNames: ['randomUUID', 'randomBytes', 'randomInt', 'webcrypto', 'default'],
          message: injected,
        })),
      ],
    },
  ],
  'no-restricted-syntax': [
    'error',
    { selector: "MemberExpression[object.name='process'][property.name='hrtime']", message: injected },
    { selector: "MemberExpression[object.name='AbortSignal'][property.name='timeout']", message: injected },
  ],
};

export default tseslint.config(
  { ignores: ['dist/**', 'coverage/**', 'node_modules/**', 'test/fixtures/**'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['it', 'test', 'describe'], package: 'node:test' },
          ],
        },
      ],
      '@typescript-eslint/require-await': 'off',
      // Factories close over their state and never use `this`, so their functions may be handed on as they are.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
      'max-lines': ['error', { max: 350 }],
    },
  },
  {
    // The page runs in a browser, by the browser's clock.
    files: ['src/**/*.ts'],
    ignores: ['src/clock.ts', 'src/random.ts', 'src/sim/**', 'src/page/client/**'],
    rules: injectedRules,
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', module: 'writable', URL: 'readonly' },
    },
  },
);
