/** The host of a party. RFC 6761 §6.2: names below `.test` belong to nobody. */
export function toHost(id: string): string {
  return `${id}.test`
}

/** Whose host that is. */
export function toId(host: string): string {
  return host.replace(/\.test$/, '')
}

/** https, as secrets demand, though nobody is there to read along. */
export function toUrl(id: string): string {
  return `https://${toHost(id)}`
}
