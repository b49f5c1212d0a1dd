import { describe, expect, test } from 'vitest'
import { bearer } from '../support/call-trpc.ts'
import { startWorld, type World } from '../support/world.ts'

/** Asks billing for a balance with one token, whatever becomes of it; answers the status and the body. */
async function ask(world: World, token: string): Promise<string> {
  const response = await world.fetch(`${world.billing.url}/trpc/billing.balance`, {
    headers: bearer(token),
  })
  return `${String(response.status)} ${await response.text()}`
}

async function getTokens({ alice, billing, bob }: World) {
  const scopes = ['billing:read']
  return {
    alice: await alice.token(billing, { scopes }),
    bob: await bob.token(billing, { scopes }),
  }
}

describe('an agent that verifies by itself', () => {
  test('refuses what was revoked, from the moment of the answer, and nothing else', async () => {
    await using world = await startWorld()
    const { alice, bob } = await getTokens(world)
    expect(await ask(world, bob.reveal())).toMatch(/^200 /)

    await world.revoke(bob)

    expect(await ask(world, bob.reveal())).toMatch(/^401 .*token_revoked/)
    expect(await ask(world, alice.reveal())).toMatch(/^200 /)
  })

  test.each([
    ['an agent with all its tokens once it is deactivated', ({ bob }: World) => bob],
    ['every token that was obtained with a secret that is ended', ({ bob }: World) => bob.secret],
  ])('refuses %s', async (_what, choose) => {
    await using world = await startWorld()
    const { alice, bob } = await getTokens(world)
    expect(await ask(world, bob.reveal())).toMatch(/^200 /)

    await world.revoke(choose(world))

    expect(await ask(world, bob.reveal())).toMatch(/^401 .*token_revoked/)
    expect(await ask(world, alice.reveal())).toMatch(/^200 /)
  })
})
