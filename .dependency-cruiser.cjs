/** The arrows of ARCHITECTURE.md. What is not allowed here fails the build. */
const lib = (name) => `^libs/${name}/`;
const sources = '^(libs|apps|tools)/[^/]+/src/';

/** Which libs a lib may import; itself always. */
const ARROWS = {
  domain: [],
  contract: ['domain'],
  signatures: ['domain', 'contract'],
  events: ['domain'],
  application: ['domain', 'contract', 'events'],
  'order-systems': ['domain', 'application'],
  messaging: ['domain', 'application'],
  persistence: ['domain', 'application'],
  config: ['domain'],
  observability: ['application', 'config', 'domain'],
  testing: ['domain', 'contract', 'signatures', 'events', 'application'],
};

const libsPointDown = Object.entries(ARROWS).map(([name, allowed]) => ({
  name: `${name}-points-down`,
  comment: `libs/${name} may import ${allowed.length === 0 ? 'no other lib' : allowed.join(', ')}.`,
  severity: 'error',
  from: { path: lib(name), pathNot: '\\.spec\\.ts$' },
  to: { path: '^(libs|apps|tools|test|bench)/', pathNot: [lib(name), ...allowed.map(lib)] },
}));

/** Only one lib talks to a given technology. The embedded order book plays a foreign system, with its own connection. */
const only = (library, owners) => ({
  name: `only-${owners.join('-or-')}-imports-${library}`,
  severity: 'error',
  from: { path: sources, pathNot: [...owners.map((owner) => `^${owner}/`), '\\.spec\\.ts$'] },
  to: { path: `(^|node_modules/)${library}(/|$)` },
});

module.exports = {
  forbidden: [
    ...libsPointDown,
    {
      name: 'libs-never-apps',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(apps|bench)/' },
    },
    {
      name: 'apps-never-apps',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'role-apps-are-composition-roots',
      comment: 'An app of a role is a main.ts that runs the role.',
      severity: 'error',
      from: { path: '^apps/(intake|orders|workflows|relay|standalone)/' },
      to: { path: '^(libs|tools)/', pathNot: '^libs/roles/' },
    },
    {
      name: 'adapters-never-each-other',
      severity: 'error',
      from: { path: '^libs/order-systems/src/([^/]+)/' },
      to: { path: '^libs/order-systems/src/[^/]+/', pathNot: '^libs/order-systems/src/$1/' },
    },
    {
      name: 'testing-only-in-specs',
      severity: 'error',
      from: { path: sources, pathNot: ['^libs/testing/', '^tools/fault-harness/', '\\.spec\\.ts$'] },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'the-oracle-looks-from-outside',
      comment: 'What judges the handlers shares no code with them.',
      severity: 'error',
      from: { path: '^tools/fault-harness/src/oracle/' },
      to: { path: '^libs/(application|persistence|roles|order-systems|contract|signatures)/' },
    },
    only('kafkajs', ['libs/messaging']),
    only('pg', [
      'libs/persistence',
      'libs/order-systems/src/embedded',
      'tools/fault-harness',
      'tools/local-parts',
      'tools/local-system',
    ]),
    only('@prisma', ['libs/persistence']),
    only('@nestjs', ['libs/roles', 'libs/messaging', 'libs/observability', 'apps']),
    {
      name: 'domain-imports-a-decimal-library-only',
      severity: 'error',
      from: { path: lib('domain'), pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: 'node_modules/decimal\\.js' },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'resolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|generated)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.check.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
