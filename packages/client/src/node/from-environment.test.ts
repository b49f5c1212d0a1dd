import { createAgentSecret } from '@deputy/auth/protocol'
import { exportJWK, generateKeyPair } from 'jose'
import { writeFile } from 'node:fs/promises'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createFakeTokenEndpoint } from '../../../../test/support/fake-token-endpoint.ts'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { ISSUER } from '../../../../test/support/test-issuer.ts'
import { ClientError } from '../error/client-error.ts'
import { fromEnvironment as fromVariables } from '../index.ts'
import { fromEnvironment } from './index.ts'

const TARGET = { audience: 'agent-billing-v2', scopes: ['billing:read'] }
const KEY = createAgentSecret('apiKey')
const SECRET = createAgentSecret('clientSecret')

async function createJwk(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return JSON.stringify({ ...(await exportJWK(privateKey)), kid: 'mine' })
}

async function openWorld() {
  const folder = await createTemporaryFolder()
  const file = folder.file('credentials.json')
  const content = { issuer: ISSUER, client_id: 'agent-of-file', client_secret: SECRET, scope: 'a' }
  await writeFile(file, JSON.stringify(content))
  const { fetch, requests } = createFakeTokenEndpoint()
  const dispose = async (): Promise<void> => folder[Symbol.asyncDispose]()
  return { file, fetch, requests, [Symbol.asyncDispose]: dispose }
}

describe('the first that is set is taken', () => {
  test('DEPUTY_API_KEY before everything else', async () => {
    await using world = await openWorld()
    const credentials = fromEnvironment(
      {
        DEPUTY_API_KEY: KEY,
        DEPUTY_CLIENT_ID: 'agent-alice-v1',
        DEPUTY_CLIENT_SECRET: SECRET,
        DEPUTY_ISSUER: ISSUER,
        DEPUTY_CREDENTIALS_FILE: world.file,
      },
      { fetch: world.fetch },
    )

    const authorization = await credentials(TARGET).authorize()

    expect(authorization.toHeaders()).toEqual({ 'x-api-key': KEY })
    expect(world.requests).toEqual([])
  })

  test('then DEPUTY_CLIENT_KEY, DEPUTY_CLIENT_SECRET and DEPUTY_CREDENTIALS_FILE', async () => {
    await using world = await openWorld()
    const all = {
      DEPUTY_CLIENT_ID: 'agent-alice-v1',
      DEPUTY_ISSUER: ISSUER,
      DEPUTY_CLIENT_KEY: await createJwk(),
      DEPUTY_CLIENT_SECRET: SECRET,
      DEPUTY_CREDENTIALS_FILE: world.file,
    }
    const settings = { fetch: world.fetch }

    await fromEnvironment(all, settings)(TARGET).authorize()
    await fromEnvironment({ ...all, DEPUTY_CLIENT_KEY: '' }, settings)(TARGET).authorize()
    const last = { DEPUTY_CREDENTIALS_FILE: world.file }
    await fromEnvironment(last, settings)(TARGET).authorize()

    const [byKey, bySecret, byFile] = world.requests
    expect(byKey?.form.get('client_assertion_type')).toBe(
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    )
    expect([byKey?.form.get('client_id'), byKey?.headers.get('authorization')]).toEqual([
      'agent-alice-v1',
      null,
    ])
    const sent = [bySecret, byFile].map((request) =>
      decodeURIComponent(request?.headers.get('authorization') ?? ''),
    )
    expect(sent.map((header) => atob(header.slice(6)))).toEqual([
      expect.stringMatching(/^agent(-|%2D)alice/) as string,
      expect.stringMatching(/^agent(-|%2D)of/) as string,
    ])
  })

  test('under the task grant that DEPUTY_TASK_GRANT names', async () => {
    await using world = await openWorld()
    const environment = { DEPUTY_CREDENTIALS_FILE: world.file, DEPUTY_TASK_GRANT: 'grant-7' }

    await fromEnvironment(environment, { fetch: world.fetch })(TARGET).authorize()

    expect(world.requests[0]?.form.get('authorization_details')).toBe(
      '[{"type":"task_grant","identifier":"grant-7"}]',
    )
  })
})

describe('what is wrong is said, and never passed over', () => {
  const jwk = '{"kty":"EC","crv":"P-256","x":"a","y":"b"}'
  test.each([
    ['nothing at all', {}, /no credentials are set/],
    ['a key that is cut short', { DEPUTY_API_KEY: KEY.slice(0, -1) }, /DEPUTY_API_KEY/],
    [
      'a secret without its client',
      { DEPUTY_CLIENT_SECRET: SECRET, DEPUTY_ISSUER: ISSUER },
      /DEPUTY_CLIENT_SECRET is set, and DEPUTY_CLIENT_ID is missing/,
    ],
    [
      'a secret alone',
      { DEPUTY_CLIENT_SECRET: SECRET },
      /DEPUTY_CLIENT_ID and DEPUTY_ISSUER is missing/,
    ],
    ['a key without its client', { DEPUTY_CLIENT_KEY: jwk }, /DEPUTY_CLIENT_ID is missing/],
    [
      'a key that is no JSON',
      { DEPUTY_CLIENT_KEY: '-----BEGIN', DEPUTY_CLIENT_ID: 'a' },
      /DEPUTY_CLIENT_KEY is not JSON/,
    ],
    [
      'a public key',
      { DEPUTY_CLIENT_KEY: jwk, DEPUTY_CLIENT_ID: 'a' },
      /DEPUTY_CLIENT_KEY is not a private JWK/,
    ],
    [
      'an issuer in clear text',
      { DEPUTY_CLIENT_SECRET: SECRET, DEPUTY_CLIENT_ID: 'a', DEPUTY_ISSUER: 'http://a.example' },
      /issuer must be https/,
    ],
    [
      'a task grant for a key',
      { DEPUTY_API_KEY: KEY, DEPUTY_TASK_GRANT: 'grant-7' },
      /DEPUTY_TASK_GRANT is of no use with DEPUTY_API_KEY/,
    ],
    ['a file that is not there', { DEPUTY_CREDENTIALS_FILE: '/nowhere' }, /\/nowhere/],
  ])('%s', (_what, environment, message) => {
    // A good file further on must not hide it.
    const read = () => fromEnvironment(environment, {})

    expect(read).toThrow(ClientError)
    expect(read).toThrow(message)
  })

  test('without what it was set to', () => {
    const environment = {
      DEPUTY_CLIENT_KEY: `{"kty":"EC","d":"${SECRET}"}`,
      DEPUTY_CLIENT_ID: 'a',
      DEPUTY_ISSUER: 'http://a.example',
    }
    let printed = ''
    try {
      fromEnvironment(environment)
    } catch (error) {
      printed = `${inspect(error, { depth: 9 })} ${JSON.stringify(error)}`
    }

    expect(printed).toContain('environment_invalid')
    expect(printed).not.toContain(SECRET)
  })
})

test('outside of Node there are no files, which is said', () => {
  expect(() => fromVariables({ DEPUTY_CREDENTIALS_FILE: '/somewhere' })).toThrow(
    /no credentials are set/,
  )
})
