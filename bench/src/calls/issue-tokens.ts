import { writeFile } from 'node:fs/promises'
import { createJwtSigner } from '../token/servers/jwt-signer.ts'
import { AGENT_ID, ISSUER } from './scenario.ts'

/** Long enough for a run. */
const TTL_SECONDS = 3600

/** Signs tokens of as many agents, ES256, into a file of equal lines, and the public key into another. */
export async function issueTokens(
  count: number,
  files: { readonly tokens: string; readonly jwks: string },
): Promise<void> {
  const signer = createJwtSigner()
  const iat = Math.floor(Date.now() / 1000)
  const lines: string[] = []
  for (let index = 0; index < count; index += 1) {
    const id = String(index).padStart(8, '0')
    const claims = {
      iss: ISSUER,
      sub: `agent-${id}`,
      client_id: `agent-${id}`,
      aud: AGENT_ID,
      scope: 'notes:read',
      iat,
      exp: iat + TTL_SECONDS,
      jti: `token-${id}`,
      grant_path: [`key-${id}`, `token-${id}`],
    }
    lines.push(await signer.sign(claims))
  }
  await writeFile(files.tokens, `${lines.join('\n')}\n`, { mode: 0o600 })
  await writeFile(files.jwks, signer.jwks)
}
