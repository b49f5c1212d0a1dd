// The transcript as a person reads it. One small function an event.
import { toBookLines } from './render-books.ts'
import { bad, count, dim, good, strong, toAmount, wrap } from './text.ts'
import type { Transcript, TranscriptEvent } from './transcript.ts'

type Of<Type extends TranscriptEvent['type']> = Extract<TranscriptEvent, { type: Type }>

const WIDTH = 92

/** Writes each event as lines of text, in colour where standard output shows it. */
export function createTextRenderer(write: (text: string) => void): Transcript {
  return (event) => {
    write(`${toLines(event).join('\n')}\n`)
  }
}

function toLines(event: TranscriptEvent): readonly string[] {
  switch (event.type) {
    case 'chapter':
      return ['', strong(event.title), dim('─'.repeat(WIDTH))]
    case 'server':
      return [`  ${event.id.padEnd(18)} ${event.url}`]
    case 'call':
      return [callLine(event)]
    case 'step':
      return [stepLine(event)]
    case 'ledger':
      return ledgerLines(event)
    case 'usage':
    case 'invoice':
    case 'refund':
    case 'quota':
    case 'quotaEvent':
    case 'verified':
    case 'journal':
    case 'revert':
      return toBookLines(event)
    case 'brief':
      return briefLines(event)
    case 'statement':
      return statementLines(event)
    case 'task':
      return taskLines(event)
    case 'chain':
      return chainLines(event)
    case 'preview':
      return previewLines(event)
    case 'noticed':
      return [
        `  ${event.agentId.padEnd(20)} ${bad(event.reason)} ${event.afterMs.toFixed(1).padStart(8)} ms after the answer`,
      ]
    case 'released':
      return [
        `  given back: ${toAmount(event.amountMinor)} ${event.currency} that was held for ${event.reference}`,
      ]
    case 'withstood':
      return withstoodLines(event)
    case 'allowed':
    case 'refused':
      return attemptLines(event)
    case 'try':
      return [
        `  ${dim(`# ${event.title}`)}`,
        ...event.command.split('\n').map((line) => `  ${line}`),
        '',
      ]
    case 'note':
      return [`  ${event.text}`]
  }
}

function callLine(event: Of<'call'>): string {
  const { depth, durationMs, from, outcome, procedure, scopes, subject, to } = event
  const arrow = `${'   '.repeat(depth)}${depth === 0 ? '' : '└ '}${from} → ${to}`
  const mark = outcome === 'ok' ? good('ok') : bad(outcome)
  const time = `${durationMs.toFixed(1)} ms`
  return `  ${arrow.padEnd(42)} ${procedure.padEnd(23)} ${time.padStart(10)}  ${mark}  ${dim(scopes.join(' ') + (subject === undefined ? '' : `, for ${subject}`))}`
}

function stepLine(event: Of<'step'>): string {
  const { decision, detail, durationMs, kind, reason, sequence, tool } = event
  const what = [kind, ...(tool === undefined ? [] : [tool])].join(' ')
  const time = `${durationMs.toFixed(1)} ms`
  const mark = decision === 'pass' ? dim(decision) : bad(decision)
  return `     ${String(sequence).padStart(3)} ${what.padEnd(60)} ${time.padStart(10)}  ${mark}  ${dim(reason ?? detail ?? '')}`.trimEnd()
}

function taskLines({
  agentId,
  budget,
  grantId,
  scopes,
  ttlSeconds,
}: Of<'task'>): readonly string[] {
  const minutes = String(ttlSeconds / 60)
  return [
    `  Task grant ${grantId.slice(0, 8)}… for ${agentId}: ${budget}, ${minutes} minutes  ${dim(scopes.join(' '))}`,
  ]
}

function chainLines({ hops, subjectId }: Of<'chain'>): readonly string[] {
  return [
    '',
    `  The authority of ${subjectId}`,
    ...hops.flatMap(({ agentId, audiences, depth, dropped, kind, scopes }) => {
      const names = { credential: `${agentId}’s secret`, task: 'the task grant' }
      const what = kind === 'token' ? `${agentId} → ${audiences.join(' ')}` : names[kind]
      const indent = '  '.repeat(depth)
      const step = `${indent}${depth === 0 ? '' : '└ '}${what}`
      const left = dropped.map(({ scope }) => scope)
      const rules = new Set(dropped.map(({ rule }) => rule.replaceAll('_', ' ')))
      return [
        `    ${step.padEnd(50)} ${scopes.join(' ')}`.trimEnd(),
        ...(left.length === 0
          ? []
          : [dim(`    ${indent}    left behind: ${left.join(' ')} (${[...rules].join(', ')})`)]),
      ]
    }),
  ]
}

function previewLines(event: Of<'preview'>): readonly string[] {
  const { agents, currency, heldMinor, liveTokens, verifiers } = event
  return [
    '  If the task grant is revoked:',
    `    ${count(liveTokens, 'live token')} of ${agents.join(', ')} end, and ${toAmount(heldMinor)} ${currency} are held below it`,
    ...verifiers.map(
      ({ agentId, isConnected, open }) =>
        `    ${agentId} ${isConnected ? 'follows the feed, and notices at once' : 'is not connected: it asks within a minute'}${open === undefined ? '' : `; under way there: ${count(open, 'call')}`}`,
    ),
  ]
}

function ledgerLines(event: Of<'ledger'>): readonly string[] {
  return [
    '',
    `  Ledger ${event.when} the work (${event.currency})`,
    ...event.accounts.map(
      ({ account, balanceMinor }) =>
        `    ${account.padEnd(44)} ${toAmount(balanceMinor).padStart(12)}`,
    ),
    `    ${dim('in all'.padEnd(44))} ${toAmount(event.totalMinor).padStart(12)}`,
    '',
  ]
}

function briefLines(event: Of<'brief'>): readonly string[] {
  return [
    '',
    `  ${strong(event.question)}`,
    dim(
      `  from ${count(event.documentsSearched, 'document')}, for ${toAmount(event.cost.amountMinor)} ${event.cost.currency}`,
    ),
    ...event.sentences.flatMap(({ citation, text }) => {
      const { endLine, file, startLine } = citation
      const lines =
        startLine === endLine ? String(startLine) : `${String(startLine)}-${String(endLine)}`
      return [
        '',
        ...wrap(text, WIDTH - 4).map((line) => `    ${line}`),
        dim(`    [${file}:${lines}]`),
      ]
    }),
    '',
  ]
}

function statementLines(event: Of<'statement'>): readonly string[] {
  return [
    '',
    `  Statement ${event.statementId}`,
    ...event.lines.map(
      ({ amountMinor, evidence, reference }) =>
        `    ${reference}  ${toAmount(amountMinor).padStart(8)}  ${dim(`${count(evidence.sentences, 'sentence')} from ${count(evidence.documents, 'document')}, brief ${evidence.briefSha256.slice(0, 12)}…`)}`,
    ),
    ...event.usage.map(
      ({ amountMinor, meter, quantity }) =>
        `    ${`${String(quantity)} of ${meter}`.padEnd(36)}  ${toAmount(amountMinor).padStart(8)}  ${dim('metered')}`,
    ),
    `    in all ${toAmount(event.totalMinor)} ${event.currency}, the work backed by a receipt from research`,
  ]
}

function withstoodLines({ attack, message, reason }: Of<'withstood'>): readonly string[] {
  const [first = '', ...rest] = wrap(attack, WIDTH - 4)
  return [
    `  ${good('✓')} ${first}`,
    ...rest.map((line) => `    ${line}`),
    ...wrap(`${reason}: ${message}`, WIDTH - 6).map((line) => dim(`      ${line}`)),
  ]
}

function attemptLines(event: Of<'allowed' | 'refused'>): readonly string[] {
  const status = String(event.status)
  const mark = event.type === 'allowed' ? good(status) : bad(status)
  return [
    `  ${mark}  ${event.attempt} ${dim(`(${event.procedure})`)}`,
    `       ${event.message}${event.type === 'refused' ? dim(`  ${event.reason}`) : ''}`,
    ...(event.challenge === undefined
      ? []
      : wrap(`WWW-Authenticate: ${event.challenge}`, WIDTH - 7).map((line) =>
          dim(`       ${line}`),
        )),
  ]
}
