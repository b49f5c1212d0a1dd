import * as z from 'zod'
import { NonEmptyText, OptionalUrl, Url } from './text.ts'

/**
 * An agent's own credentials as they lie in a file: the members of a client registration answer
 * (RFC 7591 §3.2.1) that a caller needs. Readable by the file's owner only.
 */
export const CredentialsFile = z.object({
  issuer: Url,
  client_id: NonEmptyText,
  client_secret: NonEmptyText,
  scope: z.string().describe('everything that this agent may ask for, parted by spaces'),
  token_endpoint: OptionalUrl,
})
export type CredentialsFile = z.infer<typeof CredentialsFile>
