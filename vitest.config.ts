import { defineConfig } from 'vitest/config'

export default defineConfig({
  ssr: { resolve: { conditions: ['@deputy/source', 'node', 'module', 'default'] } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
      'bench/src/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    globalSetup: ['test/support/servers.ts'],
    reporters: ['default', 'json'],
    outputFile: { json: 'test-report.json' },
    unstubGlobals: true,
    restoreMocks: true,
    // A hang is told from a busy machine; nothing else depends on it.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.test-d.ts', '**/main.ts'],
      reporter: ['text-summary', 'json-summary'],
    },
  },
})
