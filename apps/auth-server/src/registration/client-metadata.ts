// What a client says of itself when it registers (RFC 7591 §2), as far as agents have use for it.
// Members that the server does not know are left out of the answer, which tells the client so.
import { isScopeToken, MAX_SCOPE_CHARS } from '@deputy/auth/protocol'
import * as z from 'zod'
import { AgentSettings } from '../agents/agent.ts'

/** How a registered client authenticates at the token endpoint. */
export const REGISTERED_AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const

const { shape } = AgentSettings

const ScopeText = z
  .string()
  .max(MAX_SCOPE_CHARS)
  .refine((text) => text.split(' ').every(isScopeToken), 'must be scope tokens parted by spaces')

/** The metadata of a registration. */
export const ClientMetadata = z
  .object({
    client_name: z.string().trim().min(1).max(200).default('Registered agent'),
    scope: ScopeText.optional(),
    grant_types: z.array(z.literal('client_credentials')).min(1).default(['client_credentials']),
    response_types: z.array(z.never('there are no response types here')).default([]),
    token_endpoint_auth_method: z.enum(REGISTERED_AUTH_METHODS).default('client_secret_basic'),
    jwks: z
      .object({
        keys: z
          .array(z.looseObject({ kty: z.string() }))
          .min(1)
          .max(10),
      })
      .optional(),
    jwks_uri: shape.jwksUri,
    software_id: z.string().min(1).max(512).optional(),
    software_version: z.string().min(1).max(512).optional(),
    dpop_bound_access_tokens: z.boolean().default(false),
  })
  .refine(({ jwks, jwks_uri }) => jwks === undefined || jwks_uri === undefined, {
    path: ['jwks'],
    // > The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response.
    message: 'must not stand beside jwks_uri',
  })
  .refine(
    ({ jwks, jwks_uri, token_endpoint_auth_method: method }) =>
      method !== 'private_key_jwt' || jwks !== undefined || jwks_uri !== undefined,
    { path: ['token_endpoint_auth_method'], message: 'private_key_jwt needs jwks or jwks_uri' },
  )
export type ClientMetadata = z.infer<typeof ClientMetadata>
