import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { bearer } from '../support/call-trpc.ts'
import { ALICE, BILLING, BOB, startWorld, type World } from '../support/world.ts'

/** Asks billing for a balance with one token, whatever becomes of it; answers the status and the body. */
async function ask(world: World, token: string): Promise<string> {
  const response = await fetch(`${world.billingUrl}/trpc/billing.balance`, {
    headers: bearer(token),
  })
  return `${String(response.status)} ${await response.text()}`
}

/** Asks until it is refused, a hundred times at most: the feed is faster than that. */
async function askUntilRefused(world: World, token: string): Promise<string> {
  let answer = ''
  for (let count = 0; count < 100 && !answer.startsWith('401'); count += 1) {
    answer = await ask(world, token)
  }
  return answer
}

async function getTokens(world: World): Promise<{ alice: string; bob: string }> {
  const request = { audience: BILLING, scope: 'billing:read' }
  return { alice: await world.token(ALICE, request), bob: await world.token(BOB, request) }
}

describe('an agent that verifies by itself', () => {
  test('refuses what was revoked, within moments of the answer, and nothing else', async () => {
    await using world = await startWorld()
    const { alice, bob } = await getTokens(world)
    expect(await ask(world, bob)).toMatch(/^200 /)

    const tokenId = decodeJwt(bob).jti ?? ''
    await world.admin.tokens.revoke.mutate({ agentId: BOB, tokenId })

    expect(await askUntilRefused(world, bob)).toMatch(/^401 .*token_revoked/)
    expect(await ask(world, alice)).toMatch(/^200 /)
  })

  test('refuses an agent with all its tokens once it is deactivated', async () => {
    await using world = await startWorld()
    const { alice, bob } = await getTokens(world)
    expect(await ask(world, bob)).toMatch(/^200 /)

    await world.admin.agents.deactivate.mutate({ id: BOB })

    expect(await askUntilRefused(world, bob)).toMatch(/^401 .*token_revoked/)
    expect(await ask(world, alice)).toMatch(/^200 /)
  })

  test('refuses every token that was obtained with a secret that is ended', async () => {
    await using world = await startWorld()
    const { alice, bob } = await getTokens(world)
    const { clientSecrets } = await world.admin.clientSecrets.list.query({ agentId: BOB })

    await world.admin.clientSecrets.deactivate.mutate({
      clientSecretId: clientSecrets[0]?.clientSecretId ?? '',
    })

    expect(await askUntilRefused(world, bob)).toMatch(/^401 .*token_revoked/)
    expect(await ask(world, alice)).toMatch(/^200 /)
  })
})
