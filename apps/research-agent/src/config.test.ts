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
    model: undefined,
    limits: { maxSteps: 12, maxSeconds: 120, maxTokens: 100_000, maxCostMicros: 250_000 },
    leaseSeconds: 10,
    clockToleranceSeconds: 5,
    redisUrl: undefined,
    rateLimitTiers: DEFAULT_RATE_LIMIT_TIERS,
    trustedProxies: 0,
    logLevel: 'info',
  })
})

test.each([
  ['PORT', '-1'],
  ['DEPUTY_CREDENTIALS_FILE', undefined],
  ['DEPUTY_DOCUMENTS', ''],
  ['DEPUTY_BILLING_URL', 'localhost:2885'],
  ['DEPUTY_CLOCK_TOLERANCE_SECONDS', '-1'],
  ['DEPUTY_LOG_LEVEL', 'loud'],
  ['DEPUTY_MODEL_NAME', 'a model, and no URL for it'],
  ['DEPUTY_MODEL_URL', 'http://models.example/v1'],
  ['DEPUTY_MODEL_INPUT_PRICE', '-1'],
  ['DEPUTY_RESEARCH_MAX_STEPS', '0'],
  ['DEPUTY_RESEARCH_MAX_COST', 'a lot'],
])('refuses %s=%j and names it', (name, value) => {
  const read = () => readConfig({ ...FILE, [name]: value })

  expect(read).toThrow(new RegExp(`^these settings are wrong: ${name}: [^\\n]+$`))
})

test('reads a model, with its price and what a job may cost', () => {
  const { limits, model } = readConfig({
    ...FILE,
    DEPUTY_MODEL_URL: 'http://127.0.0.1:11434/v1',
    DEPUTY_MODEL_NAME: 'a-model',
    DEPUTY_MODEL_INPUT_PRICE: '0.5',
    DEPUTY_RESEARCH_MAX_COST: '0.02',
  })

  expect(model).toEqual({
    url: 'http://127.0.0.1:11434/v1',
    name: 'a-model',
    apiKey: undefined,
    inputPrice: 0.5,
    outputPrice: 0,
  })
  expect(limits.maxCostMicros).toBe(20_000)
})
