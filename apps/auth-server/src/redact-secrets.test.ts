import { createAgentSecret } from '@deputy/auth/protocol'
import { expect, test } from 'vitest'
import { redactSecrets } from './redact-secrets.ts'

test.each([
  ['an API key', createAgentSecret('apiKey')],
  ['a client secret', createAgentSecret('clientSecret')],
  ['a secret that was cut short', createAgentSecret('clientSecret').slice(0, 30)],
  ['a token', 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln-bmF0_dXJl'],
  ['a token without its signature', 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.'],
])('takes out %s', (_, secret) => {
  const text = redactSecrets(`alice may not have this at bob: ${secret} notes:read`)

  expect(text).toBe('alice may not have this at bob: [redacted] notes:read')
})

test('leaves every other text as it is', () => {
  const text = 'agent-alice may not have this at agent-bob: notes:read obey:it'

  expect(redactSecrets(text)).toBe(text)
})
