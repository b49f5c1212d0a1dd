import { requireScope } from '@deputy/auth/trpc'
import type {
  Invoice,
  StatementInput,
  Statements,
  StatementsInput,
} from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { operatedOwner, ownerOf, SYSTEM_OWNER_ID } from '../owners/owner.ts'
import { refuseCall } from '../refusals.ts'
import type { ServiceDeps } from '../service-deps.ts'
import { renderInvoice, toInvoiceNumber } from './render-invoice.ts'

const MAX_LISTED = 100

/** `billing.statements`: the caller's own; another account's of the organisation for whoever has `billing:audit`. */
export async function listStatements(
  { storage }: ServiceDeps,
  { principal }: Call,
  { account = principal.subject, ownerId }: StatementsInput,
): Promise<Statements> {
  if (account !== principal.subject || ownerId !== undefined) {
    requireScope(principal, 'billing:audit')
  }
  const owner = operatedOwner(principal, ownerId)
  const query = { account, limit: MAX_LISTED }
  const statements = await storage.read(async (stores) => stores.statements.list(owner, query))
  return { statements: [...statements] }
}

/** `billing.invoice`: a statement of the caller's account, or for an auditor any of the organisation. */
export async function readInvoice(
  { storage }: ServiceDeps,
  { principal }: Call,
  { statementId }: StatementInput,
): Promise<Invoice> {
  const owner = ownerOf(principal)
  const isAuditor = principal.scopes.includes('billing:audit')
  const statement = await storage.read(async ({ statements }) => {
    const ownerId = isAuditor && owner === SYSTEM_OWNER_ID ? undefined : owner
    return statements.find(ownerId, statementId)
  })
  if (statement === undefined || (!isAuditor && statement.account !== principal.subject)) {
    throw refuseCall('statement_unknown', `No statement ${statementId}`)
  }
  return {
    number: toInvoiceNumber(statement),
    statement,
    html: renderInvoice(statement),
  }
}
