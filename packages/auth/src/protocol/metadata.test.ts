import { expect, test } from 'vitest'
import { AgentId } from './agent-id.ts'
import { toAuthorizationServerMetadataUrl } from './metadata.ts'

test.each([
  ['https://as.example', 'https://as.example/.well-known/oauth-authorization-server'],
  ['https://as.example/', 'https://as.example/.well-known/oauth-authorization-server'],
  ['https://as.example/tenant', 'https://as.example/.well-known/oauth-authorization-server/tenant'],
])('the metadata of %s is at %s (RFC 8414 §3.1)', (issuer, url) => {
  expect(toAuthorizationServerMetadataUrl(issuer).href).toBe(url)
})

test.each([
  ['agent-billing-v2', true],
  ['operator', true],
  ['a', false],
  ['Agent', false],
  ['agent--x', false],
  ['agent_x', false],
  ['-agent', false],
  ['a'.repeat(65), false],
])('%s as an agent id: %s', (id, isGood) => {
  expect(AgentId.safeParse(id).success).toBe(isGood)
})
