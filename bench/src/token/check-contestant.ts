import { readEqualLines } from '../load/equal-lines.ts'
import { checkToken } from './check-token.ts'
import type { Contestant } from './contestant.ts'
import { FORBIDDEN_SCOPE } from './scenario.ts'

/** What was looked up once: to check the answers under load with. */
export type Checked = { readonly jwks: string }

/** Clients whose tokens are looked at: the first, one between, and the last. */
const PLACES = [0, 0.5, 1]

/**
 * Looks at what the server does before it is measured: it gives the token that was asked for, and it
 * refuses a wrong secret and a scope that the client may not have. Rejects when it does not.
 */
export async function checkContestant(contestant: Contestant): Promise<Checked> {
  const { credentialsFile, form, jwksPath, name, port, tokenPath } = contestant
  const origin = `http://127.0.0.1:${String(port)}`
  const jwks = await (await fetch(origin + jwksPath)).text()
  const lines = readEqualLines(credentialsFile)

  async function ask(basic: string, body: string): Promise<{ status: number; body: string }> {
    const headers = {
      authorization: `Basic ${basic}`,
      'content-type': 'application/x-www-form-urlencoded',
    }
    const answer = await fetch(origin + tokenPath, { method: 'POST', headers, body })
    return { status: answer.status, body: await answer.text() }
  }

  for (const place of PLACES) {
    const basic = lines.at(Math.floor(place * (lines.count - 1)))
    const [clientId] = Buffer.from(basic, 'base64').toString('latin1').split(':')
    const answer = await ask(basic, form)
    if (answer.status !== 200) throw new Error(`${name} refused a good request: ${answer.body}`)
    checkToken({ body: answer.body, jwks, clientId })
  }

  const first = lines.at(0)
  const other = Buffer.from(lines.at(1), 'base64').toString('latin1').split(':')[1] ?? ''
  const [id = ''] = Buffer.from(first, 'base64').toString('latin1').split(':')
  const wrongSecret = await ask(Buffer.from(`${id}:${other}`).toString('base64'), form)
  if (wrongSecret.status !== 401) throw new Error(`${name} took the secret of another client`)
  const forbiddenForm = new URLSearchParams(form)
  forbiddenForm.set('scope', FORBIDDEN_SCOPE)
  const tooMuch = await ask(first, forbiddenForm.toString())
  if (tooMuch.status !== 400) throw new Error(`${name} gave a scope that the client may not have`)
  return { jwks }
}
