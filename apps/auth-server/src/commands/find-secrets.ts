// Looks for secrets that Deputy hands out in any text, by their form and their checksum: without a network,
// without a database, and without ever writing one down again.
import { AGENT_SECRET_PATTERN, isAgentSecret, SECRET_PREFIX } from '@deputy/auth/protocol'
import type { AgentSecretKind } from '@deputy/auth/protocol'

/** How many there are whose checksum is right, and how many only look like one. */
export type FoundSecrets = { readonly genuine: number; readonly mistyped: number }

const NAMES: Readonly<Record<AgentSecretKind, string>> = {
  apiKey: 'API key',
  clientSecret: 'client secret',
  initialAccessToken: 'initial access token',
  registrationAccessToken: 'registration access token',
}

/** Reads lines, and reports each find by its place and kind, a line each. */
export async function findSecrets(
  lines: AsyncIterable<string>,
  report: (text: string) => void,
): Promise<FoundSecrets> {
  const pattern = new RegExp(AGENT_SECRET_PATTERN, 'g')
  let genuine = 0
  let mistyped = 0
  let number = 0
  for await (const line of lines) {
    number += 1
    for (const { 0: text, index } of line.matchAll(pattern)) {
      const kind = toKind(text)
      const isGenuine = isAgentSecret(text, kind)
      if (isGenuine) genuine += 1
      else mistyped += 1
      const verdict = isGenuine ? 'the checksum is right' : 'the checksum is wrong'
      report(`${String(number)}:${String(index + 1)}: ${NAMES[kind]}, ${verdict}\n`)
    }
  }
  return { genuine, mistyped }
}

function toKind(text: string): AgentSecretKind {
  if (text.startsWith(SECRET_PREFIX.apiKey)) return 'apiKey'
  if (text.startsWith(SECRET_PREFIX.clientSecret)) return 'clientSecret'
  return text.startsWith(SECRET_PREFIX.initialAccessToken)
    ? 'initialAccessToken'
    : 'registrationAccessToken'
}
