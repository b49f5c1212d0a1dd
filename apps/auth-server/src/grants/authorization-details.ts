// `authorization_details` of a token request (RFC 9396 §2, §5): a list of objects, each of a type that
// the target's procedures understand. What nobody would enforce is refused, never ignored.
import { accept, refuse, type Result } from '@deputy/auth/protocol'
import * as z from 'zod'
import type { Client } from '../agents/agent.ts'

/** Most entries of one request. */
const MAX_DETAILS = 20

/** Largest JSON text, in characters: it travels in every token. */
export const MAX_DETAILS_CHARS = 4096

const Text = z.string().max(1000)
const TextList = z.array(Text).max(50)

/** One entry. The members of RFC 9396 §2.2 have their types; those of the entry's own type are free. */
export const AuthorizationDetail = z.looseObject({
  type: z.string().min(1).max(100),
  locations: TextList.optional(),
  actions: TextList.optional(),
  datatypes: TextList.optional(),
  identifier: Text.optional(),
  privileges: TextList.optional(),
})
export type AuthorizationDetail = z.infer<typeof AuthorizationDetail>

const AuthorizationDetails = z.array(AuthorizationDetail).min(1).max(MAX_DETAILS)

export type AuthorizationDetailsRefusal = {
  readonly code: 'invalid_authorization_details'
  readonly message: string
}

/** Reads the parameter. Pure. */
export function parseAuthorizationDetails(
  text: string | undefined,
): Result<readonly AuthorizationDetail[], AuthorizationDetailsRefusal> {
  if (text === undefined) return accept([])
  if (text.length > MAX_DETAILS_CHARS) {
    return invalid(`is longer than ${String(MAX_DETAILS_CHARS)} characters`)
  }
  const details = AuthorizationDetails.safeParse(parseJson(text))
  if (details.success) return accept(details.data)
  const issue = details.error.issues[0]
  const where = issue === undefined ? '' : issue.path.join('.')
  return invalid(`is no JSON list of objects with a type: ${where} ${issue?.message ?? ''}`)
}

/** Says what the target would not understand, or not enforce. Pure. */
export function checkAuthorizationDetails<Detail extends { type: string; locations?: unknown }>(
  details: readonly Detail[],
  target: Client,
): Result<readonly Detail[], AuthorizationDetailsRefusal> {
  const stranger = details.find(({ type }) => !target.authorizationDetailsTypes.includes(type))
  if (stranger !== undefined) {
    const known = target.authorizationDetailsTypes.join(', ') || 'none'
    return invalid(`has the type ${stranger.type}, but ${target.id} understands: ${known}`)
  }
  const elsewhere = details
    .flatMap(({ locations }): unknown[] => (Array.isArray(locations) ? locations : []))
    .find((location) => location !== target.id && location !== target.url)
  if (elsewhere !== undefined) {
    return invalid(
      `names the location ${JSON.stringify(elsewhere)}, but the token is for ${target.id}`,
    )
  }
  return accept(details)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function invalid(what: string): { ok: false; refusal: AuthorizationDetailsRefusal } {
  const message = `authorization_details ${what}`
  return refuse({ code: 'invalid_authorization_details', message })
}
