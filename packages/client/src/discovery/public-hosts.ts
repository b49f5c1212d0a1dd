// Attack prevented: an agent's metadata that names a host of the caller's own network, so that the caller
// sends requests there (server-side request forgery). What can be told from the URL alone is told here;
// that a name leads to a private address only the Node pool can tell, which looks when it connects.
import { ClientError } from '../error/client-error.ts'

const LOCAL_NAME = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home\.arpa)\.?$/i

/** Whether a host, as `URL.hostname` writes it, is certainly not on the public internet. */
export function isPrivateHost(hostname: string): boolean {
  if (hostname.startsWith('[')) return isPrivateAddress(hostname.slice(1, -1))
  if (/^\d+\.\d+\.\d+\.\d+$/.test(hostname)) return isPrivateAddress(hostname)
  return LOCAL_NAME.test(hostname) || !hostname.replace(/\.$/, '').includes('.')
}

/** Whether an IP address is private, local or otherwise not for everybody (IANA special-purpose registries). */
export function isPrivateAddress(address: string): boolean {
  if (address.includes(':')) return isPrivateIpv6(address.toLowerCase())
  const [a = 0, b = 0, c = 0] = address.split('.').map(Number)
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    a >= 224 ||
    (a === 100 && b >= 64 && b <= 127) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0 && (c === 0 || c === 2)) ||
    (a === 192 && b === 88 && c === 99) ||
    (a === 198 && (b === 18 || b === 19)) ||
    (a === 198 && b === 51 && c === 100) ||
    (a === 203 && b === 0 && c === 113)
  )
}

function isPrivateIpv6(address: string): boolean {
  const groups = toGroups(address)
  if (groups === undefined) return true
  const [a = 0, b = 0] = groups
  const embedded = toIpv4(groups)
  if (embedded !== undefined) return isPrivateAddress(embedded)
  // Only 2000::/3 is for everybody; of it, these are documentation, Teredo and the like.
  const isGlobal = a >= 0x20_00 && a <= 0x3f_ff
  return !isGlobal || (a === 0x20_01 && (b < 0x2_00 || b === 0xd_b8)) || a === 0x3f_ff
}

/** An IPv4 address inside of an IPv6 one: mapped, compatible, NAT64 or 6to4. */
function toIpv4(groups: readonly number[]): string | undefined {
  const [a, b, c] = groups
  const isFirstFiveZero = groups.slice(0, 5).every((group) => group === 0)
  const isMapped = isFirstFiveZero && groups[5] === 0xff_ff
  const isCompatible = isFirstFiveZero && groups[5] === 0 && (groups[6] ?? 0) > 0
  // Of 64:ff9b::/16 only the well-known prefix leads to everybody's IPv4; 64:ff9b:1::/48 is a network's own (RFC 8215).
  const isNat64 = a === 0x64 && b === 0xff_9b && groups.slice(2, 6).every((group) => group === 0)
  const [high, low] = a === 0x20_02 ? [b, c] : groups.slice(6)
  if (!(isMapped || isCompatible || isNat64 || a === 0x20_02)) return undefined
  if (high === undefined || low === undefined) return undefined
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

function toGroups(address: string): readonly number[] | undefined {
  const bare = address.replace(/%.*$/, '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, toHexPair)
  const [head = '', tail] = bare.split('::')
  const read = (text: string) =>
    text === '' ? [] : text.split(':').map((part) => parseInt(part, 16))
  const start = read(head)
  const end = read(tail ?? '')
  const missing = 8 - start.length - end.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...start, ...Array<number>(missing).fill(0), ...end]
  return groups.some((group) => Number.isNaN(group)) ? undefined : groups
}

function toHexPair(_match: string, ...parts: readonly unknown[]): string {
  const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number)
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}

/** Throws `ClientError` (`host_not_allowed`) for a URL whose host is private. */
export function assertPublicHost(url: string): void {
  const { hostname } = new URL(url)
  if (!isPrivateHost(hostname)) return
  throw new ClientError({
    code: 'host_not_allowed',
    message: `${hostname} is not on the public internet, and nothing is sent there`,
    hint: 'Turn refusePrivateAddresses off where agents of your own network are called.',
  })
}

/** Wraps `fetch` so that it refuses private hosts. */
export function createPublicFetch(fetchWith: typeof fetch): typeof fetch {
  return async (input, init) => {
    assertPublicHost(input instanceof Request ? input.url : String(input))
    return fetchWith(input, init)
  }
}
