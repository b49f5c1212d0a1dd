// Currencies by ISO 4217. An account remembers the scale that it began with: the digits that follow the point.
import { refuseCall } from '../refusals.ts'

/** What list one of ISO 4217 has with minor units, and `Intl` does not list: units of account, mostly. */
const UNITS_OF_ACCOUNT = ['BOV', 'CHE', 'CHW', 'CLF', 'COU', 'MXV', 'USN', 'UYI', 'UYW', 'VED']

const KNOWN = new Set([...Intl.supportedValuesOf('currency'), ...UNITS_OF_ACCOUNT])

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
