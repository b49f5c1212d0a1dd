// What the asker wants, as text that a model may read: one line, and no secret that was pasted into it.
import { REDACTED, redactSecrets } from '@deputy/client/ai'
import { withoutUnseen } from './plain-text.ts'

export type Intent = {
  readonly question: string
  /** Whether something that looks like a token or a secret was taken out. */
  readonly isRedacted: boolean
}

/** Reads the question as it came. */
export function parseIntent(question: string): Intent {
  const line = withoutUnseen(question)
    .normalize('NFKC')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  const safe = redactSecrets(line)
  return { question: safe, isRedacted: safe.includes(REDACTED) }
}
