import { DEFAULT_RATE_LIMIT_TIERS } from '@deputy/auth'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const FILE = { DEPUTY_CREDENTIALS_FILE: 'credentials.json' }

test('needs nothing but the credentials', () => {
  expect(readConfig(FILE)).toEqual({
    host: '127.0.0.1',
    port: 2886,
    credentialsFile: 'credentials.json',
    databaseFile: '.deputy/research.sqlite',
    documents: undefined,
    billingUrl: 'http://127.0.0.1:2885',
    clockToleranceSeconds: 5,
    redisUrl: undefined,
    rateLimitTiers: DEFAULT_RATE_LIMIT_TIERS,
    logLevel: 'info',
  })
})

test.each([
  ['PORT', '0'],
  ['DEPUTY_CREDENTIALS_FILE', undefined],
  ['DEPUTY_DOCUMENTS', ''],
  ['DEPUTY_BILLING_URL', 'localhost:2885'],
  ['DEPUTY_CLOCK_TOLERANCE_SECONDS', '-1'],
  ['DEPUTY_LOG_LEVEL', 'loud'],
])('refuses %s=%j and names it', (name, value) => {
  const read = () => readConfig({ ...FILE, [name]: value })

  expect(read).toThrow(new RegExp(`^these settings are wrong: ${name}: [^\\n]+$`))
})
