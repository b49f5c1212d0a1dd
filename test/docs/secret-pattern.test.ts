import { AGENT_SECRET_PATTERN } from '@deputy/auth/protocol'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

test('the expression for secret scanners is published as the code has it', () => {
  const page = readFileSync(new URL('../../docs/running.md', import.meta.url), 'utf8')

  expect(page).toContain(`\n\`\`\`\n${AGENT_SECRET_PATTERN.source}\n\`\`\`\n`)
})
