// Currencies by ISO 4217: how many digits follow the point. An account remembers the scale that it began with.
import { refuseCall } from '../refusals.ts'

const KNOWN = new Set(Intl.supportedValuesOf('currency'))

const scales = new Map<string, number>()

/** Digits of the minor unit: 2 for USD, 0 for JPY. */
export function scaleOf(currency: string): number {
  let scale = scales.get(currency)
  if (scale === undefined) {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency })
    scale = format.resolvedOptions().maximumFractionDigits ?? 2
    // Only what is one: callers must not fill the memory with others.
    if (KNOWN.has(currency)) scales.set(currency, scale)
  }
  return scale
}

/** Throws `currency_unknown` for what is none. */
export function requireCurrency(currency: string): void {
  if (!KNOWN.has(currency))
    throw refuseCall('currency_unknown', `${currency} is no currency of ISO 4217`)
}

/** As a decimal, exact: 1234 with scale 2 is `12.34`. */
export function toDecimal(amountMinor: number, scale: number): string {
  const digits = String(Math.abs(amountMinor)).padStart(scale + 1, '0')
  const sign = amountMinor < 0 ? '-' : ''
  if (scale === 0) return sign + digits
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
