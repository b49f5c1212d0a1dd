import * as z from 'zod'

/**
 * An agent's own credentials as they lie in a file: the members of a client registration answer
 * (RFC 7591 §3.2.1) that a caller needs. Readable by the file's owner only.
 */
export const CredentialsFile = z.object({
  issuer: z.url(),
  client_id: z.string().min(1),
  client_secret: z.string().min(1),
  scope: z.string().describe('everything that this agent may ask for, parted by spaces'),
  token_endpoint: z.url().optional(),
})
export type CredentialsFile = z.infer<typeof CredentialsFile>
