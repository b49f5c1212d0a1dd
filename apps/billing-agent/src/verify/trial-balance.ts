import type { TrialBalance, TrialBalanceInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { operatedOwner } from '../owners/owner.ts'
import type { ServiceDeps } from '../service-deps.ts'
import { addUp } from './verify-ledger.ts'

/** `billing.trialBalance`: every account of an organisation, added up from its entries and not from what it says. */
export async function readTrialBalance(
  { storage }: ServiceDeps,
  { principal }: Call,
  { currency, ownerId }: TrialBalanceInput,
): Promise<TrialBalance> {
  const owner = operatedOwner(principal, ownerId)
  const { sums } = await addUp(storage)
  const accounts = (await storage.read(async ({ audit }) => audit.listAccounts()))
    .filter((account) => account.ownerId === owner && account.currency === currency)
    .map(({ account }) => ({
      account,
      balanceMinor: sums.get(`${currency} ${account}`)?.balanceMinor ?? 0,
    }))
  const totalMinor = accounts.reduce((total, { balanceMinor }) => total + balanceMinor, 0)
  return { currency, accounts, totalMinor }
}
