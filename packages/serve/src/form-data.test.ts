// Forms, which tRPC's own adapter reads: they meet the same guard, and the same limits.
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { bearer } from '../../../test/support/call-trpc.ts'
import { startTestAgent, type TestAgent } from '../../../test/support/test-agent.ts'

const router = agentRouter({
  upload: scopedProcedure('billing:read')
    .input(z.instanceof(FormData))
    .mutation(({ input }) => [...input.values()]),
  approved: scopedProcedure({ scopes: ['billing:read'], approval: true })
    .input(z.instanceof(FormData))
    .mutation(() => 'done'),
})

async function send({ url }: TestAgent, path: string, request: { note: string; token?: string }) {
  const body = new FormData()
  body.set('note', request.note)
  const headers = request.token === undefined ? {} : bearer(request.token)
  const answer = await fetch(`${url}/trpc/${path}`, { method: 'POST', body, headers })
  return { status: answer.status, text: await answer.text() }
}

describe('a form', () => {
  test('is an input like others, for whoever may send it', async () => {
    await using agent = await startTestAgent({ router })

    const good = await send(agent, 'upload', { note: 'größer', token: await agent.token() })
    const nobody = await send(agent, 'upload', { note: 'a' })

    expect(good).toEqual({ status: 200, text: '{"result":{"data":["größer"]}}' })
    expect(nobody.status).toBe(401)
    expect(nobody.text).toContain('credentials_missing')
  })

  test('is no larger than others', async () => {
    await using agent = await startTestAgent({ router, limits: { maxBodyBytes: 1000 } })
    const token = await agent.token()

    const { status, text } = await send(agent, 'upload', { note: 'x'.repeat(2000), token })

    expect(status).toBe(413)
    expect(text).toContain('payload_too_large')
  })

  test('cannot be approved: there is no hash of it', async () => {
    await using agent = await startTestAgent({ router })

    const answer = await send(agent, 'approved', { note: 'a', token: await agent.token() })

    expect(answer.status).toBe(400)
    expect(answer.text).toContain('cannot be approved')
  })
})
