import type { LoadPlan } from '../load/load-plan.ts'

/** A server under test, running. */
export type Contestant = AsyncDisposable & {
  readonly name: string
  readonly port: number
  readonly tokenPath: string
  readonly jwksPath: string
  /** The form that each request has. */
  readonly form: string
  /** The credentials of its clients: lines as they stand in a Basic header. */
  readonly credentialsFile: string
}

/** The request of each client, around its credentials. */
export function toRequest({ form, port, tokenPath }: Contestant): Pick<LoadPlan, 'head' | 'tail'> {
  const head = [
    `POST ${tokenPath} HTTP/1.1`,
    `Host: 127.0.0.1:${String(port)}`,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${String(Buffer.byteLength(form))}`,
    'Authorization: Basic ',
  ]
  return { head: head.join('\r\n'), tail: `\r\n\r\n${form}` }
}
