export type AuditEvent = {
  readonly event: string
  readonly outcome: 'success' | 'refused' | 'failed'
  readonly reason?: string | undefined
  readonly ownerId?: string | undefined
  readonly actorId?: string | undefined
  readonly subjectId?: string | undefined
  readonly target?: { readonly kind: string; readonly id: string } | undefined
  readonly audience?: string | undefined
  readonly scope?: string | undefined
  readonly credentialId?: string | undefined
  readonly tokenId?: string | undefined
  readonly grantId?: string | undefined
  readonly correlationId?: string | undefined
  readonly traceId?: string | undefined
  readonly address?: string | undefined
  readonly details?: Readonly<Record<string, string>> | undefined
}
