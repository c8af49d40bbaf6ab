/**
 * The layer boundaries (ARCHITECTURE, "Boundaries"). Each rule says in plain English what to do instead, and has a
 * planted violation in test/lint/boundaries.test.ts, because a wrong pattern passes silently.
 */
const only = (name, comment, from, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { pathNot: allowed },
});

const thirdParty = (name, homes) => ({
  name: `only-home-of-${name}`,
  comment: `${name} is wrapped in one place (${homes}); call that instead of the package.`,
  severity: 'error',
  from: { path: '^src/', pathNot: homes },
  to: { path: `node_modules/${name}/` },
});

module.exports = {
  forbidden: [
    only(
      'model-is-pure',
      'model/ holds values. It imports nothing but node:crypto; I/O, time and logging belong to its callers.',
      '^src/model/',
      ['^src/model/', '^(node:)?crypto$'],
    ),
    only(
      'core-is-pure',
      'plan/, queue/ and ports/ decide. They take a Clock and values; they import no node module and no adapter.',
      '^src/(plan|queue|ports)/',
      ['^src/(plan|queue|ports|model)/', '^src/(errors|clock|random)\\.ts$'],
    ),
    only(
      'worker-is-pure',
      'worker/ compiles, renders and reads long lists on any thread: bytes and values in, text out.',
      '^src/worker/',
      [
        '^src/(worker|model)/',
        '^src/source/lsnr-status\\.ts$',
        '^src/ports/pool\\.ts$',
        '^src/(errors|clock)\\.ts$',
        'node_modules/piscina/',
      ],
    ),
    only(
      'state-is-one-file',
      'state/ turns records into a file and back. What they mean is known to warm-start.ts.',
      '^src/state/',
      [
        '^src/(state|model)/',
        '^src/source/config-cache\\.ts$',
        '^src/ports/claim\\.ts$',
        '^src/errors\\.ts$',
        '^(node:)?(crypto|fs|fs/promises|path)$',
      ],
    ),
    only(
      'settings-are-values',
      'settings/ turns flags and environment into one frozen value. What it asks of the machine comes through System.',
      '^src/settings/',
      ['^src/settings/', '^(node:)?(fs|os|net)$'],
    ),
    {
      name: 'adapters-do-not-meet',
      comment: 'source/, gobetween/ and telemetry/ never import each other; app.ts connects them.',
      severity: 'error',
      from: { path: '^src/(source|gobetween|telemetry)/' },
      to: { path: '^src/(source|gobetween|telemetry)/', pathNot: '^src/$1/' },
    },
    {
      name: 'operator-looks-through-interfaces',
      comment:
        'operator/ is handed what it looks at: import types of the adapters, plain values of the core, and the shapes of HTTP answers.',
      severity: 'error',
      from: { path: '^src/operator/' },
      to: {
        path: '^src/(source|gobetween|telemetry|worker|state|settings|cli|sim|page)/',
        pathNot: '^src/telemetry/http\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    only(
      'page-client-is-alone',
      'page/client/ runs in a browser: it knows the answers of /api/v1, and nothing of the program.',
      '^src/page/client/',
      ['^src/page/client/'],
    ),
    {
      name: 'reconciler-sees-types-of-adapters',
      comment: 'reconciler.ts calls adapters through interfaces; import their types only.',
      severity: 'error',
      from: { path: '^src/reconciler\\.ts$' },
      to: { path: '^src/(source|gobetween|telemetry|cli|sim)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-cli-composes',
      comment:
        'Only the command line imports app.ts (the composition root); everything else is handed its parts.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main\\.ts$|cli/)' },
      to: { path: '^src/app\\.ts$' },
    },
    {
      name: 'pipeline-does-not-import-the-edges',
      comment: 'Only main.ts, cli/ and app.ts may import cli/ and sim/.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main\\.ts$|app\\.ts$|cli/|sim/)' },
      to: { path: '^src/(cli|sim)/' },
    },
    {
      name: 'sim-is-independent',
      comment: 'The stand-ins are judged by recordings, so they share no code with what they test.',
      severity: 'error',
      from: { path: '^src/sim/' },
      to: { path: '^src/', pathNot: '^src/sim/' },
    },
    thirdParty('piscina', '^src/worker/threads\\.ts$'),
    thirdParty('p-queue', '^src/gobetween/tickets\\.ts$'),
    thirdParty('undici', '^src/(gobetween/client|source/om3)\\.ts$'),
    thirdParty('prom-client', '^src/telemetry/registrar\\.ts$'),
    thirdParty('pino', '^src/telemetry/log\\.ts$'),
    thirdParty('pino-pretty', '^src/telemetry/log\\.ts$'),
    thirdParty('lru-cache', '^src/source/(informer|config-cache)\\.ts$'),
    thirdParty('commander', '^src/(main\\.ts$|cli/)'),
    thirdParty('dns-packet', '^src/(source/dns-question\\.ts$|sim/)'),
    {
      name: 'no-circular',
      comment: 'A cycle hides which stage comes first. Move the shared type to the earlier stage.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nothing imports is dead; entry points are main.ts, tests and benches.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/main\\.ts$' },
      to: {},
    },
    {
      name: 'src-has-no-dev-code',
      comment: 'src never imports test, bench or a devDependency: it must run from the packed tarball.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: ['^test/', '^bench/'] },
    },
    {
      name: 'src-has-no-dev-dependency',
      comment: 'A devDependency is absent after npm ci --omit=dev. Types are fine.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
