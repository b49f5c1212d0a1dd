import { describe, expect, test } from 'vitest'
import { startTestAgent } from '../../../test/support/test-agent.ts'
import { stripPath } from './below-path.ts'

describe('stripPath', () => {
  test.each([
    ['/tenant/oauth/token', '/oauth/token'],
    ['/tenant/oauth/token?x=/tenant/y', '/oauth/token?x=/tenant/y'],
    ['/tenant/tenant/x', '/tenant/x'],
    ['/oauth/token', '/oauth/token'],
    ['/.well-known/oauth-authorization-server/tenant', '/.well-known/oauth-authorization-server'],
    ['/tenant/.well-known/jwks.json', '/.well-known/jwks.json'],
    ['/tenants/oauth/token', '/tenants/oauth/token'],
    ['/tenant', '/tenant'],
    [
      '/.well-known/oauth-authorization-server/other',
      '/.well-known/oauth-authorization-server/other',
    ],
    ['/x/.well-known/jwks.json/tenant', '/x/.well-known/jwks.json/tenant'],
  ])('reads %s as %s', (url, read) => {
    expect(stripPath(url, '/tenant')).toBe(read)
  })
})

test('an agent with a path answers below it, and as a proxy asks that takes it off', async () => {
  await using agent = await startTestAgent({ publicUrl: 'https://host.example/agents/billing' })
  const headers = { authorization: `Bearer ${await agent.token()}` }

  const [passedOn, takenOff] = await Promise.all(
    ['/agents/billing/trpc/whoAmI', '/trpc/whoAmI'].map(async (path) =>
      fetch(agent.url + path, { headers }),
    ),
  )

  expect([passedOn?.status, takenOff?.status]).toEqual([200, 200])
})

test('its metadata is where RFC 9728 §3.1 puts it, and the challenge says so', async () => {
  await using agent = await startTestAgent({ publicUrl: 'https://host.example/agents/billing' })
  const place = '/.well-known/oauth-protected-resource/agents/billing'

  const refused = await fetch(`${agent.url}/agents/billing/trpc/whoAmI`)
  const metadata = await fetch(agent.url + place)

  expect(refused.headers.get('www-authenticate')).toBe(
    `Bearer resource_metadata="https://host.example${place}"`,
  )
  expect(await metadata.json()).toMatchObject({ resource: 'https://host.example/agents/billing' })
})
