/** The port that a server is to listen on, from its environment. Throws `TypeError` when there is none. */
export function readPort(): number {
  const port = Number(process.env['PORT'])
  if (!Number.isInteger(port) || port <= 0) throw new TypeError('PORT is missing')
  return port
}

/** A setting of the bench's own. Throws `TypeError` when it is missing. */
export function readSetting(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new TypeError(`${name} is missing`)
  return value
}

/** Ends the process with the one that started it. */
export function endWithParent(): void {
  process.on('disconnect', () => process.exit())
}
