// A statement as a page that one sends to a customer: no script, nothing from elsewhere, fit to be printed.
// Pure. Whatever a caller chose (a reference, a reason) is text in it and never markup.
import { decimalsOf } from '@deputy/auth/protocol'
import { toDecimal } from '../ledger/currency.ts'
import type { StatementRecord } from '../statements/statement-store.ts'
import { INVOICE_STYLE } from './invoice-style.ts'

/** `INV-000042`: counted up in each organisation. */
export function toInvoiceNumber({ number }: Pick<StatementRecord, 'number'>): string {
  return `INV-${String(number).padStart(6, '0')}`
}

/** Renders the page. Dates are UTC. */
export function renderInvoice(statement: StatementRecord): string {
  const { account, closedAt, credits, currency, lines, ownerId, statementId, totalMinor, usage } =
    statement
  const money = (minor: number): string => toMoney(minor, currency)
  const number = toInvoiceNumber(statement)
  const isCredit = totalMinor < 0
  const title = isCredit ? 'Credit note' : 'Invoice'
  const stamp = isCredit ? 'Credited' : 'Paid'
  const subtotal = lines.reduce((total, line) => total + line.amountMinor, 0)
  const credited = credits.reduce((total, credit) => total + credit.amountMinor, 0)
  const metered = usage.reduce((total, line) => total + line.amountMinor, 0)
  const first = Math.min(
    closedAt,
    ...lines.map((line) => line.capturedAt),
    ...credits.map((credit) => credit.refundedAt),
    ...usage.map((line) => line.periodStart),
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} ${number}</title>
<style>${INVOICE_STYLE}</style>
</head>
<body>
<main>
<header>
<div><p class="brand">Deputy Billing</p><h1>${title}</h1></div>
<p class="stamp">${stamp}</p>
</header>
<dl>
<div><dt>Invoice number</dt><dd>${number}</dd></div>
<div><dt>Date</dt><dd>${toDate(closedAt)}</dd></div>
<div><dt>Work done</dt><dd>${toDate(first)} – ${toDate(closedAt)}</dd></div>
<div><dt>Billed to</dt><dd>${escape(account)}</dd></div>
<div><dt>Organisation</dt><dd>${escape(ownerId)}</dd></div>
<div><dt>Currency</dt><dd>${escape(currency)}</dd></div>
</dl>
<table>
<caption>Work, usage and the evidence for it</caption>
<thead><tr><th scope="col">Date</th><th scope="col">Work</th><th scope="col">Evidence</th><th scope="col" class="sum">Amount</th></tr></thead>
<tbody>
${lines.map((line) => renderLine(line, money)).join('\n')}
${usage.map((line) => renderUsage(line, money)).join('\n')}
${credits.map((credit) => renderCredit(credit, money)).join('\n')}
</tbody>
<tfoot>
<tr><th scope="row" colspan="3">Work</th><td class="sum">${money(subtotal)}</td></tr>
${usage.length === 0 ? '' : `<tr><th scope="row" colspan="3">Usage</th><td class="sum">${money(metered)}</td></tr>`}
${credited === 0 ? '' : `<tr><th scope="row" colspan="3">Refunds</th><td class="sum">${money(-credited)}</td></tr>`}
<tr class="total"><th scope="row" colspan="3">Total</th><td class="sum">${money(totalMinor)}</td></tr>
</tfoot>
</table>
<footer>
<p>${SETTLED[stamp]} Nothing is due.</p>
<p>The evidence was read from the agent that did the work when this statement was closed. The fingerprint is the SHA-256 of what was delivered; of usage, of the events that were counted.</p>
<p class="fine">Statement ${escape(statementId)}</p>
</footer>
</main>
</body>
</html>
`
}

const SETTLED = {
  Paid: "All of it was paid from the account's balance: work when it was done, usage with this statement.",
  Credited: "More was given back than there was to pay: it is on the account's balance.",
} as const

type Line = StatementRecord['lines'][number]
type Money = (minor: number) => string

function renderLine({ amountMinor, capturedAt, evidence, reference }: Line, money: Money): string {
  const { briefSha256, documents, sentences } = evidence
  const counted = `${count(sentences, 'cited sentence')} from ${count(documents, 'document')}`
  return `<tr><td>${toDate(capturedAt)}</td><td>Research brief<span class="fine">${escape(reference)}</span></td><td>${counted}<span class="fine">${escape(briefSha256.slice(0, 16))}…</span></td><td class="sum">${money(amountMinor)}</td></tr>`
}

function renderUsage(line: StatementRecord['usage'][number], money: Money): string {
  const { amountMinor, evidence, kind, meter, periodStart, quantity, totalQuantity } = line
  const what = kind === 'adjustment' ? `Adjustment of ${meter}` : `Usage of ${meter}`
  const base = line.baseMinor === 0 ? '' : `${money(line.baseMinor)} a month and `
  const price = `${base}${money(line.unitPriceMinor)} a unit (prices of ${line.priceBookVersion})`
  const counted = `${toCount(quantity)} of ${toCount(totalQuantity)} units in ${count(evidence.events, 'event')}`
  return `<tr><td>${toMonth(periodStart)}</td><td>${escape(what)}<span class="fine">${escape(price)}</span></td><td>${counted}<span class="fine">${escape(evidence.eventsSha256.slice(0, 16))}…</span></td><td class="sum">${money(amountMinor)}</td></tr>`
}

const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' })
const toMonth = (at: number): string => MONTH.format(at * 1000)
const COUNT = new Intl.NumberFormat('en-GB')
const toCount = (quantity: number): string => COUNT.format(quantity).replace('-', '−')

function renderCredit(
  { amountMinor, reason, refundedAt }: StatementRecord['credits'][number],
  money: Money,
): string {
  return `<tr><td>${toDate(refundedAt)}</td><td>Refund<span class="fine">${escape(reason)}</span></td><td></td><td class="sum">${money(-amountMinor)}</td></tr>`
}

const count = (number: number, what: string): string =>
  `${String(number)} ${what}${number === 1 ? '' : 's'}`

function toMoney(minor: number, currency: string): string {
  const [whole = '', fraction] = toDecimal(Math.abs(minor), decimalsOf(currency)).split('.')
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')
  const sign = minor < 0 ? '−' : ''
  return `${sign}${escape(currency)} ${grouped}${fraction === undefined ? '' : `.${fraction}`}`
}

const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' })
const toDate = (at: number): string => DATE.format(at * 1000)

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Attack prevented: a reference that is a script. */
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '')
