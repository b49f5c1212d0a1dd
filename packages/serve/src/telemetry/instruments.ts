import { metrics, type Meter } from '@opentelemetry/api'

/**
 * Answers a function that gives the instruments of a meter, made once for each provider: an SDK may be registered after
 * the first measurement.
 */
export function createInstruments<Instruments>(
  meterName: string,
  create: (meter: Meter) => Instruments,
): () => Instruments {
  let current: { readonly meter: Meter; readonly of: Instruments } | undefined
  return () => {
    const meter = metrics.getMeter(meterName)
    if (current?.meter !== meter) current = { meter, of: create(meter) }
    return current.of
  }
}
