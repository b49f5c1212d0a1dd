import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import { RESEARCH_AGENT_ID } from '@deputy/contracts/research'
import { relative } from 'node:path'
import { OPERATOR_ID } from './enroll.ts'
import type { StateFolder } from './state-folder.ts'
import type { System } from './system.ts'
import type { Transcript } from './transcript.ts'

/** Shows commands that work when pasted into a shell in the same folder. */
export function showCommands(system: System, state: StateFolder, transcript: Transcript): void {
  const file = quote(relative('.', state.credentialsFile(OPERATOR_ID)))
  const tokenFor = (audience: string, scope: string): string =>
    [
      `TOKEN=$(node -e 'const c = JSON.parse(require("fs").readFileSync(process.argv[1]));`,
      `  process.stdout.write("" + new URLSearchParams({ client_id: c.client_id, client_secret: c.client_secret }))' ${file} |`,
      `  curl -s ${system.issuer}/oauth/token -d grant_type=client_credentials -d audience=${audience} -d scope=${scope} -d @- |`,
      `  node -p 'JSON.parse(require("fs").readFileSync(0)).access_token')`,
    ].join('\n')
  const bearer = '-H "Authorization: Bearer $TOKEN"'
  const json = "-H 'content-type: application/json'"

  transcript({ type: 'chapter', title: 'Try it' })
  transcript({
    type: 'try',
    title: 'a token for the billing agent, and a call with it',
    command: `${tokenFor(BILLING_AGENT_ID, 'billing:audit')}\ncurl -s ${bearer} ${system.billingUrl}/trpc/billing.trialBalance`,
  })
  transcript({
    type: 'try',
    title: 'ask research something else',
    command: `${tokenFor(RESEARCH_AGENT_ID, 'research:write')}\ncurl -s ${bearer} ${json} -d '{"question":"How does pino redact sensitive values?"}' ${system.researchUrl}/trpc/research.answer`,
  })
  transcript({
    type: 'try',
    title: 'be refused, and told why',
    command: `curl -si ${system.billingUrl}/trpc/billing.balance`,
  })
  transcript({
    type: 'try',
    title: 'what the servers say of themselves',
    command: [
      `curl -s ${system.issuer}/.well-known/oauth-authorization-server`,
      `curl -s ${system.billingUrl}/.well-known/oauth-protected-resource`,
    ].join('\n'),
  })
  transcript({
    type: 'note',
    text: `Running, with all state in ${relative('.', state.path) || '.'}/ (endpoints.json, credentials/, logs/). Ctrl-C ends it.`,
  })
}

function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}
