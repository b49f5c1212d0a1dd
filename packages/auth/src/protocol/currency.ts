// How many digits of a currency follow the point, by ISO 4217 (list one, 2024). Not what `Intl` says: that is what people
// write in prices, none for HUF, IDR or PKR, and it changes with the ICU of a runtime, so that two processes of one system
// would take one amount for two.

const DECIMALS = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [4, 'CLF UYW'],
] as const

const BY_CURRENCY = new Map<string, number>(
  DECIMALS.flatMap(([digits, currencies]) =>
    currencies.split(' ').map((currency) => [currency, digits] as const),
  ),
)

/** Digits of the minor unit: 2 for USD, 0 for JPY. */
export function decimalsOf(currency: string): number {
  return BY_CURRENCY.get(currency) ?? 2
}
