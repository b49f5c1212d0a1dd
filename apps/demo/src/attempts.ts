// Calls that must be refused, made as plain HTTP requests so that status and challenge are seen as any
// caller sees them; and one that works until its key is deactivated.
import { systemClock, TokenResponse, type EpochSeconds } from '@deputy/auth/protocol'
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { DemoError } from './demo-error.ts'
import { createAdminClient, OPERATOR_ID } from './enroll.ts'
import type { StateFolder } from './state-folder.ts'
import type { System } from './system.ts'
import type { Transcript } from './transcript.ts'

const Refusal = z.object({
  error: z.object({
    message: z.string(),
    data: z.object({ reason: z.string(), hint: z.string() }),
  }),
})

/** A token with a short life, taken early so that it has expired when its turn comes. */
export type ShortToken = { readonly token: string; readonly expiresAt: EpochSeconds }

/** Whose token, and what differs from one to read a balance with. */
export type TokenParameters = {
  readonly agentId: string
  readonly audience?: string
  readonly authorization_details?: string
}

export type AttemptsOptions = {
  readonly shortToken: ShortToken
  readonly system: System
  readonly state: StateFolder
  readonly transcript: Transcript
}

/** Makes the attempts, one after the other. */
export async function makeAttempts(options: AttemptsOptions): Promise<void> {
  const { shortToken, state, system, transcript } = options
  const { billingUrl, issuer, researchUrl } = system

  async function attempt(
    title: string,
    url: string,
    init: { readonly headers?: Record<string, string>; readonly body?: object },
  ): Promise<void> {
    const response = await fetch(url, {
      headers: { ...init.headers, 'content-type': 'application/json' },
      ...(init.body === undefined ? {} : { method: 'POST', body: JSON.stringify(init.body) }),
    })
    const refusal = Refusal.safeParse(await response.json()).data?.error
    transcript({
      type: response.ok ? 'allowed' : 'refused',
      attempt: title,
      procedure: new URL(url).pathname.slice('/trpc/'.length),
      status: response.status,
      reason: refusal?.data.reason ?? 'ok',
      message: refusal?.message ?? 'answered',
      hint: refusal?.data.hint ?? '',
      challenge: response.headers.get('www-authenticate') ?? undefined,
    })
  }

  transcript({ type: 'chapter', title: 'What is refused, and why' })
  const balance = `${billingUrl}/trpc/billing.balance`
  const { token } = await requestToken(issuer, state, { agentId: OPERATOR_ID })
  const bearer = { authorization: `Bearer ${token}` }
  await attempt('no token', balance, {})
  await attempt('a scope that the token does not have', `${billingUrl}/trpc/billing.deposit`, {
    headers: bearer,
    body: {},
  })
  await attempt(
    'a token that is meant for another agent',
    `${researchUrl}/trpc/conversations.list`,
    {
      headers: bearer,
    },
  )
  await attempt('a token that was cut short', balance, {
    headers: { authorization: `Bearer ${token.slice(0, -20)}` },
  })
  while (systemClock.now() < shortToken.expiresAt) await delay(50)
  await attempt('a token that has expired', balance, {
    headers: { authorization: `Bearer ${shortToken.token}` },
  })

  await using admin = createAdminClient(issuer, state)
  const key = await admin.apiKeys.create.mutate({
    agentId: OPERATOR_ID,
    label: 'to be deactivated',
    scopes: ['billing:read'],
  })
  const withKey = { headers: { 'x-api-key': key.apiKey } }
  await attempt('an API key', balance, withKey)
  await admin.apiKeys.deactivate.mutate({ apiKeyId: key.apiKeyId })
  // The feed tells the agent within milliseconds.
  for (let count = 0; count < 100; count += 1) {
    const { ok } = await fetch(balance, withKey)
    if (!ok) break
  }
  await attempt('the same API key, deactivated a moment ago', balance, withKey)
}

/** Asks for a token to read a balance with, or another one, by hand, with nothing but fetch. */
export async function requestToken(
  issuer: string,
  state: StateFolder,
  { agentId, ...parameters }: TokenParameters,
): Promise<ShortToken> {
  const credentials = state.readCredentials(agentId)
  if (credentials === undefined) throw new DemoError(`${agentId} has no credentials file`)
  const response = await fetch(`${issuer}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: credentials.client_id,
      client_secret: credentials.client_secret,
      audience: BILLING_AGENT_ID,
      scope: 'billing:read',
      ...parameters,
    }),
  })
  const answer = TokenResponse.safeParse(await response.json())
  if (!answer.success) throw new DemoError(`${issuer} gave ${agentId} no token`)
  const { access_token: token, expires_in: lifeSeconds } = answer.data
  return { token, expiresAt: systemClock.now() + lifeSeconds }
}
