// Looks at what is connected to, where the connection is made: whatever led there, it cannot be another address then.
import type { lookup as systemLookup, LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { buildConnector } from 'undici'
import { isPrivateAddress, isPrivateHost } from '../discovery/public-hosts.ts'
import { ClientError } from '../error/client-error.ts'

/**
 * Looks at each host, also at one that is an address, which nobody looks up. Attack prevented: a redirect from a server
 * that was looked at to an address of the caller's own network.
 */
export function createPublicConnector(connect: buildConnector.connector): buildConnector.connector {
  return (target, callback) => {
    const { hostname } = target
    const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname
    if (isPrivateHost(host)) callback(refuse(hostname), null)
    else connect(target, callback)
  }
}

/** Looks at every address of a name, and gives exactly those on. Attack prevented: DNS rebinding. */
export function createPublicLookup(lookup: typeof systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const [first] = addresses ?? []
      const bad = addresses?.find(({ address }) => isPrivateAddress(address))
      if (error !== null || first === undefined) {
        callback(error ?? new Error(`${hostname} has no address`), [])
      } else if (bad !== undefined) {
        callback(refuse(`${hostname} leads to ${bad.address}, which`), [])
      } else if (options.all === true) {
        callback(null, addresses)
      } else {
        callback(null, first.address, first.family)
      }
    })
  }
}

function refuse(what: string): ClientError {
  return new ClientError({
    code: 'host_not_allowed',
    message: `${what} is not on the public internet: nothing is sent there`,
    hint: 'Turn refusePrivateAddresses off where agents of your own network are called.',
  })
}
