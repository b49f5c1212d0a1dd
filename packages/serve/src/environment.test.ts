import { DEFAULT_RATE_LIMIT_TIERS } from '@deputy/auth'
import { describe, expect, test } from 'vitest'
import { AgentEnvironment, readEnvironment, ServerEnvironment } from './index.ts'

describe('the environment of a server', () => {
  test('has defaults for all but the port', () => {
    expect(readEnvironment(ServerEnvironment, { PORT: '2884', HOME: '/root' })).toEqual({
      PORT: 2884,
      DEPUTY_HOST: '127.0.0.1',
      DEPUTY_LOG_LEVEL: 'info',
      DEPUTY_RATE_LIMIT_TIERS: DEFAULT_RATE_LIMIT_TIERS,
      DEPUTY_TRUSTED_PROXIES: 0,
    })
  })

  test.each(['-1', '1.5', '11', 'all'])('refuses %s as a number of trusted proxies', (given) => {
    const settings = { PORT: '2884', DEPUTY_TRUSTED_PROXIES: given }

    expect(() => readEnvironment(ServerEnvironment, settings)).toThrow(/DEPUTY_TRUSTED_PROXIES/)
  })

  test('takes tiers as JSON', () => {
    const tiers = { standard: { burst: 5, perMinute: 60 }, free: null }
    const settings = { PORT: '2884', DEPUTY_RATE_LIMIT_TIERS: JSON.stringify(tiers) }

    expect(readEnvironment(ServerEnvironment, settings).DEPUTY_RATE_LIMIT_TIERS).toEqual(tiers)
  })

  test('takes limits as JSON', () => {
    const limits = { maxBodyBytes: 1000, webSocket: { maxSubscriptions: 3 } }
    const settings = { PORT: '2884', DEPUTY_LIMITS: JSON.stringify(limits) }

    expect(readEnvironment(ServerEnvironment, settings).DEPUTY_LIMITS).toEqual(limits)
  })

  test('takes 0 for any port that is free', () => {
    expect(readEnvironment(ServerEnvironment, { PORT: '0' }).PORT).toBe(0)
  })

  test.each([
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '28.5'],
    ['PORT', 'http'],
    ['PORT', ''],
    ['PORT', undefined],
    ['DEPUTY_HOST', ''],
    ['DEPUTY_LOG_LEVEL', 'loud'],
    ['DEPUTY_REDIS_URL', 'localhost:6379'],
    ['DEPUTY_RATE_LIMIT_TIERS', '{"standard"'],
    ['DEPUTY_LIMITS', '{"maxBodyBytes"'],
    ['DEPUTY_LIMITS', '{"maxBodyBytes":0}'],
    ['DEPUTY_LIMITS', '{"maxBodyBytes":"1"}'],
    ['DEPUTY_LIMITS', '{"webSocket":{"maxSubscriptions":-1}}'],
    ['DEPUTY_LIMITS', '{"drainTimeoutMs":1e10}'],
    ['DEPUTY_LIMITS', '{"maxBodyByte":1}'],
    ['DEPUTY_RATE_LIMIT_TIERS', '{"low":{"burst":1,"perMinute":1}}'],
  ])('names %s when it is %j', (name, value) => {
    const read = () => readEnvironment(ServerEnvironment, { PORT: '2884', [name]: value })

    expect(read).toThrow(
      expect.objectContaining({
        code: 'environment_invalid',
        message: expect.stringMatching(`^these settings are wrong: ${name}[.a-zA-Z]*: `) as string,
      }),
    )
  })

  test('names all that is wrong at once, and never a value', () => {
    // Attack prevented: a secret pasted into the wrong variable ends up in a log.
    const secret = 'cs-agent-hunter2'

    const read = () =>
      readEnvironment(ServerEnvironment, { PORT: secret, DEPUTY_LOG_LEVEL: secret })

    expect(read).toThrow(/PORT: .*; DEPUTY_LOG_LEVEL: /)
    expect(read).not.toThrow(secret)
  })
})

describe('the environment of an agent', () => {
  const least = { PORT: '2885', DEPUTY_CREDENTIALS_FILE: '/etc/deputy/credentials.json' }

  test('allows five seconds between clocks unless it is told otherwise', () => {
    expect(readEnvironment(AgentEnvironment, least).DEPUTY_CLOCK_TOLERANCE_SECONDS).toBe(5)
    const settings = { ...least, DEPUTY_CLOCK_TOLERANCE_SECONDS: '0' }
    expect(readEnvironment(AgentEnvironment, settings).DEPUTY_CLOCK_TOLERANCE_SECONDS).toBe(0)
  })

  test('allows no tolerance that would keep an expired token alive', () => {
    const settings = { ...least, DEPUTY_CLOCK_TOLERANCE_SECONDS: '301' }

    expect(() => readEnvironment(AgentEnvironment, settings)).toThrow(
      /DEPUTY_CLOCK_TOLERANCE_SECONDS/,
    )
  })

  test('says that the credentials file is required', () => {
    expect(() => readEnvironment(AgentEnvironment, { PORT: '2885' })).toThrow(
      'DEPUTY_CREDENTIALS_FILE: is required',
    )
  })
})
