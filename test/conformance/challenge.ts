// Reads WWW-Authenticate as RFC 9110 §11.6.1 writes it, without forgiving anything.

export type Challenge = {
  readonly scheme: string
  /** In the order of the header; a name may come twice, if the header has it twice. */
  readonly parameters: readonly (readonly [name: string, value: string])[]
}

const PARAMETER = /^([A-Za-z0-9_-]+)="([^"\\]*)"$/

/** Reads one challenge. Throws for whatever is not one. */
export function readChallenge(header: string | null): Challenge {
  const [, scheme = '', rest = ''] = /^([A-Za-z]+) (.+)$/.exec(header ?? '') ?? []
  const parameters = rest.split(/, (?=[A-Za-z0-9_-]+=")/).map((text) => {
    const [, name, value] = PARAMETER.exec(text) ?? []
    if (name === undefined || value === undefined) throw new Error(`no challenge: ${header}`)
    return [name, value] as const
  })
  return { scheme, parameters }
}

/** The parameters by name. */
export function toParameters({ parameters }: Challenge): Readonly<Record<string, string>> {
  return Object.fromEntries(parameters)
}
