import { DEFAULT_RATE_LIMIT_TIERS } from '@deputy/auth'
import { describe, expect, test } from 'vitest'
import { readConfig } from './config.ts'

describe('readConfig', () => {
  test('needs no setting', () => {
    const config = readConfig({})

    expect(config).toEqual({
      host: '127.0.0.1',
      port: 2884,
      issuer: 'http://127.0.0.1:2884',
      database: { file: '.deputy/auth-server.sqlite' },
      operatorFile: '.deputy/credentials/operator.json',
      resetOperator: false,
      isRegistrationOpen: false,
      dpopNonceSecret: undefined,
      allowPrivateJwksAddresses: false,
      trustedProxies: 0,
      maxClientMemoryBytes: 160 * 1024 * 1024,
      redisUrl: undefined,
      rateLimitTiers: DEFAULT_RATE_LIMIT_TIERS,
      signingAlgorithm: 'ES256',
      rotateKeysEverySeconds: 2_592_000,
      keyEncryptionKey: undefined,
      previousKeyEncryptionKeys: [],
      logLevel: 'info',
    })
  })

  test('takes every setting', () => {
    const config = readConfig({
      PORT: '8080',
      DEPUTY_HOST: '0.0.0.0',
      DEPUTY_ISSUER: 'https://auth.example',
      DEPUTY_DATABASE_FILE: '/data/auth.sqlite',
      DEPUTY_OPERATOR_FILE: '/data/operator.json',
      DEPUTY_RESET_OPERATOR: 'true',
      DEPUTY_SIGNING_ALGORITHM: 'EdDSA',
      DEPUTY_ROTATE_KEYS_EVERY_SECONDS: '86400',
      DEPUTY_CLIENT_MEMORY_MIB: '64',
      DEPUTY_KEY_ENCRYPTION_KEY: 'a'.repeat(43),
      DEPUTY_PREVIOUS_KEY_ENCRYPTION_KEYS: `${'b'.repeat(43)}, ${'c'.repeat(43)}`,
      DEPUTY_LOG_LEVEL: 'silent',
      PATH: '/bin',
    })

    expect(config).toEqual({
      host: '0.0.0.0',
      port: 8080,
      issuer: 'https://auth.example',
      database: { file: '/data/auth.sqlite' },
      operatorFile: '/data/operator.json',
      resetOperator: true,
      isRegistrationOpen: false,
      dpopNonceSecret: undefined,
      allowPrivateJwksAddresses: false,
      trustedProxies: 0,
      maxClientMemoryBytes: 64 * 1024 * 1024,
      redisUrl: undefined,
      rateLimitTiers: DEFAULT_RATE_LIMIT_TIERS,
      signingAlgorithm: 'EdDSA',
      rotateKeysEverySeconds: 86_400,
      keyEncryptionKey: 'a'.repeat(43),
      previousKeyEncryptionKeys: ['b'.repeat(43), 'c'.repeat(43)],
      logLevel: 'silent',
    })
  })

  test.each([
    [{ PORT: '8080' }, 'http://127.0.0.1:8080'],
    [{ DEPUTY_HOST: 'localhost' }, 'http://localhost:2884'],
    [{ DEPUTY_HOST: '::1' }, 'http://[::1]:2884'],
  ])('derives from %j the issuer %s', (environment, issuer) => {
    const config = readConfig(environment)

    expect(config.issuer).toBe(issuer)
    expect(URL.canParse(config.issuer)).toBe(true)
  })

  test.each([
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['PORT', 'http'],
    ['PORT', ''],
    ['DEPUTY_HOST', ''],
    ['DEPUTY_ISSUER', ''],
    ['DEPUTY_ISSUER', 'auth.example'],
    ['DEPUTY_ISSUER', 'ftp://auth.example'],
    ['DEPUTY_ISSUER', 'javascript:alert(1)'],
    ['DEPUTY_ISSUER', 'https://auth.example?tenant=1'],
    ['DEPUTY_ISSUER', 'https://auth.example#top'],
    ['DEPUTY_ISSUER', 'http://auth.example'],
    ['DEPUTY_ISSUER', 'https://auth.example//tenant'],
    ['DEPUTY_ISSUER', 'https://auth.example/a/../tenant'],
    ['DEPUTY_ISSUER', 'https://auth.example/%74enant'],
    ['DEPUTY_DATABASE_FILE', ''],
    ['DEPUTY_OPERATOR_FILE', ''],
    ['DEPUTY_RESET_OPERATOR', 'perhaps'],
    ['DEPUTY_SIGNING_ALGORITHM', 'HS256'],
    ['DEPUTY_SIGNING_ALGORITHM', 'none'],
    ['DEPUTY_CLIENT_MEMORY_MIB', '0'],
    ['DEPUTY_CLIENT_MEMORY_MIB', '4097'],
    ['DEPUTY_ROTATE_KEYS_EVERY_SECONDS', '119'],
    ['DEPUTY_ROTATE_KEYS_EVERY_SECONDS', 'often'],
    ['DEPUTY_KEY_ENCRYPTION_KEY', ''],
    ['DEPUTY_LOG_LEVEL', 'loud'],
  ])('refuses %s=%j and names it', (name, value) => {
    const read = () => readConfig({ [name]: value })

    expect(read).toThrow(new RegExp(`^these settings are wrong: ${name}: [^\\n]+$`))
  })

  test.each(['DEPUTY_KEY_ENCRYPTION_KEY', 'DEPUTY_PREVIOUS_KEY_ENCRYPTION_KEYS'])(
    'refuses a %s of the wrong length without a word of it',
    (name) => {
      const read = () => readConfig({ [name]: 'x'.repeat(42) })

      expect(read).toThrow(
        /^these settings are wrong: DEPUTY_\w+(\.0)?: must be 32 bytes in base64url$/,
      )
      expect(read).not.toThrow(/xxx/)
    },
  )

  test.each(['https://auth.example/tenant', 'https://auth.example/a/b-2/', 'http://[::1]:8080'])(
    'takes the issuer %s',
    (issuer) => {
      expect(readConfig({ DEPUTY_ISSUER: issuer }).issuer).toBe(issuer)
    },
  )

  test('needs an issuer where it takes any port that is free', () => {
    expect(() => readConfig({ PORT: '0' })).toThrow('DEPUTY_ISSUER: is required with PORT=0')
    expect(readConfig({ PORT: '0', DEPUTY_ISSUER: 'https://auth.example' }).port).toBe(0)
  })

  test.each(['0.0.0.0', '::', 'auth.internal', '10.0.0.5'])(
    'needs an issuer that callers can reach where it listens on %s',
    (host) => {
      expect(() => readConfig({ DEPUTY_HOST: host })).toThrow('DEPUTY_ISSUER: is required')
      expect(
        readConfig({ DEPUTY_HOST: host, DEPUTY_ISSUER: 'https://auth.example' }),
      ).toMatchObject({ host, issuer: 'https://auth.example' })
    },
  )

  test('names every setting that is wrong, in one sentence', () => {
    const read = () => readConfig({ PORT: 'x', DEPUTY_LOG_LEVEL: 'loud' })

    expect(read).toThrow(/^these settings are wrong: PORT: .+; DEPUTY_LOG_LEVEL: .+$/)
  })
})
