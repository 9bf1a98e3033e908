const transform = {
  '^.+\\.tsx?$': [
    '@swc/jest',
    {
      sourceMaps: 'inline',
      module: { type: 'es6' },
      jsc: {
        target: 'es2022',
        keepClassNames: true,
        parser: { syntax: 'typescript', decorators: true, tsx: false },
        transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
      },
    },
  ],
};

export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform,
  testMatch: [
    '<rootDir>/{libs,services,applets,site,bench,console,tools}/**/*.test.ts',
    '<rootDir>/tests/**/*.test.ts',
  ],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/.boardwire'],
  testEnvironmentOptions: { customExportConditions: ['@boardwire/source', 'node', 'node-addons'] },
  setupFiles: ['<rootDir>/tests/support/ports-of-worker.mjs'],
  testTimeout: 30_000,
  // Modules of every suite stay in a worker's memory (vm modules are not given back): a new worker is cheaper than 3 GB.
  workerIdleMemoryLimit: '1GB',
};
