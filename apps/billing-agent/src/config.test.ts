import { DEFAULT_RATE_LIMIT_TIERS } from '@deputy/auth'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const FILE = { DEPUTY_CREDENTIALS_FILE: '/run/billing.json' }

test('needs a credentials file and nothing else', () => {
  const config = readConfig(FILE)

  expect(config).toEqual({
    host: '127.0.0.1',
    port: 2885,
    credentialsFile: '/run/billing.json',
    database: { file: '.deputy/billing.sqlite' },
    researchUrl: 'http://127.0.0.1:2886',
    clockToleranceSeconds: 5,
    redisUrl: undefined,
    rateLimitTiers: DEFAULT_RATE_LIMIT_TIERS,
    trustedProxies: 0,
    logLevel: 'info',
  })
})

test('takes every setting', () => {
  const config = readConfig({
    ...FILE,
    PORT: '8080',
    DEPUTY_HOST: '0.0.0.0',
    DEPUTY_DATABASE_FILE: '/data/billing.sqlite',
    DEPUTY_RESEARCH_URL: 'https://research.example',
    DEPUTY_CLOCK_TOLERANCE_SECONDS: '0',
    DEPUTY_LOG_LEVEL: 'silent',
    PATH: '/bin',
  })

  expect(config).toEqual({
    host: '0.0.0.0',
    port: 8080,
    credentialsFile: '/run/billing.json',
    database: { file: '/data/billing.sqlite' },
    researchUrl: 'https://research.example',
    clockToleranceSeconds: 0,
    redisUrl: undefined,
    rateLimitTiers: DEFAULT_RATE_LIMIT_TIERS,
    trustedProxies: 0,
    logLevel: 'silent',
  })
})

test.each([
  ['PORT', '-1'],
  ['PORT', '65536'],
  ['PORT', 'http'],
  ['PORT', ''],
  ['DEPUTY_HOST', ''],
  ['DEPUTY_CREDENTIALS_FILE', undefined],
  ['DEPUTY_CREDENTIALS_FILE', ''],
  ['DEPUTY_DATABASE_FILE', ''],
  ['DEPUTY_RESEARCH_URL', ''],
  ['DEPUTY_RESEARCH_URL', 'research.example'],
  ['DEPUTY_RESEARCH_URL', 'localhost:2886'],
  ['DEPUTY_RESEARCH_URL', 'ftp://research.example'],
  ['DEPUTY_CLOCK_TOLERANCE_SECONDS', '-1'],
  ['DEPUTY_CLOCK_TOLERANCE_SECONDS', '301'],
  ['DEPUTY_LOG_LEVEL', 'loud'],
])('refuses %s=%j and names it', (name, value) => {
  const read = () => readConfig({ ...FILE, [name]: value })

  expect(read).toThrow(new RegExp(`^these settings are wrong: ${name}: [^\\n]+$`))
})

test('names every setting that is wrong, and the value of none', () => {
  const read = () => readConfig({ PORT: 'hunter2', DEPUTY_LOG_LEVEL: 'loud' })

  expect(read).toThrow(/PORT: .+; DEPUTY_LOG_LEVEL: .+; DEPUTY_CREDENTIALS_FILE: is required/)
  expect(read).not.toThrow('hunter2')
})
