// Which addresses a URL that a client names may lead to. Attack prevented: server-side request forgery,
// by which a client has this server ask what only this server can reach (cloud metadata, its own ports,
// the company's network).
import { BlockList, isIPv4, isIPv6 } from 'node:net'

// IANA's special-purpose registries (RFC 6890 and its updates): what is not globally reachable.
const PRIVATE_IPV4 = createList('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
])

/** All that is given out to the public. */
const PUBLIC_IPV6 = createList('ipv6', [['2000::', 3]])

/** Of these, what is not public after all, or leads back into IPv4 (Teredo, 6to4). */
const PRIVATE_IPV6 = createList('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
])

const LOOPBACK_IPV4 = createList('ipv4', [['127.0.0.0', 8]])
const LOOPBACK_IPV6 = createList('ipv6', [['::1', 128]])

/** Whether anybody on the Internet can reach this address. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !PRIVATE_IPV4.check(address, 'ipv4')
  if (!isIPv6(address)) return false
  return PUBLIC_IPV6.check(address, 'ipv6') && !PRIVATE_IPV6.check(address, 'ipv6')
}

/** Whether the address is this machine's own. */
export function isLoopbackAddress(address: string): boolean {
  if (isIPv4(address)) return LOOPBACK_IPV4.check(address, 'ipv4')
  return isIPv6(address) && LOOPBACK_IPV6.check(address, 'ipv6')
}

function createList(
  family: 'ipv4' | 'ipv6',
  subnets: readonly (readonly [string, number])[],
): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family)
  return list
}
