const base = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  setupFiles: ['<rootDir>/test/setup.mjs'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transformIgnorePatterns: ['/node_modules/(?!@v402/)'],
  modulePathIgnorePatterns: ['/dist/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
        },
        module: { type: 'es6' },
      },
    ],
  },
};

/** Integration and end-to-end tests share one PostgreSQL and one Kafka; each file has a database and topics of its own. */
const withParts = {
  globalSetup: '<rootDir>/test/parts.setup.mjs',
  globalTeardown: '<rootDir>/test/parts.teardown.mjs',
};

export default {
  maxWorkers: 2,
  // What a test waits for has limits of its own. This one only ends a test that hangs, on a machine of any speed.
  testTimeout: 300_000,
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/{libs,apps,tools}/*/src/**/*.spec.ts', '<rootDir>/test/repository/**/*.spec.ts'],
    },
    { ...base, displayName: 'vectors', testMatch: ['<rootDir>/test/{vectors,fuzz}/**/*.spec.ts'] },
    { ...base, ...withParts, displayName: 'integration', testMatch: ['<rootDir>/test/integration/**/*.spec.ts'] },
    { ...base, displayName: 'faults', testMatch: ['<rootDir>/test/faults/**/*.spec.ts'] },
    { ...base, ...withParts, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'] },
  ],
};
