import { Meter, type DefineMeterInput, type Meters } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { ownerOf, SYSTEM_OWNER_ID } from '../owners/owner.ts'
import { refuseCall } from '../refusals.ts'
import type { ServiceDeps } from '../service-deps.ts'

const MAX_LISTED = 1000

/** `usage.meters`: what can be recorded. */
export async function listMeters({ storage }: ServiceDeps): Promise<Meters> {
  return storage.read(async ({ usage }) => ({ meters: [...(await usage.listMeters(MAX_LISTED))] }))
}

/** `usage.defineMeter`: for whoever runs the system, as prices are. A meter keeps its meaning. */
export async function defineMeter(
  { clock, runOnce }: ServiceDeps,
  { principal }: Call,
  input: DefineMeterInput,
): Promise<Meter> {
  if (ownerOf(principal) !== SYSTEM_OWNER_ID) {
    throw refuseCall('prices_not_yours', 'Meters are defined by whoever runs the system')
  }
  const { aggregation, description, meter: name } = input
  const once = { principal, procedure: 'usage.defineMeter', input, output: Meter }
  return runOnce(once, async ({ usage }) => {
    const by = { definedAt: clock.now(), definedBy: principal.agentId }
    const meter = { meter: name, aggregation, description, ...by }
    if (!(await usage.defineMeter(meter))) {
      throw refuseCall('meter_exists', `There is a meter ${name} already`)
    }
    return meter
  })
}
