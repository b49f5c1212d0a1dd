// node --conditions=@deputy/source test/delegation-vectors/main.ts --issuer <URL> --secrets <file>
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { readVectors } from './read-vectors.ts'
import { runVector } from './run-vector.ts'

const { values } = parseArgs({
  options: { issuer: { type: 'string' }, secrets: { type: 'string' } },
})
if (values.issuer === undefined || values.secrets === undefined) {
  process.stderr.write('usage: main.ts --issuer <URL> --secrets <JSON file: agent id to secret>\n')
  process.exit(2)
}
const text = await readFile(values.secrets, 'utf8')
const secrets = z.record(z.string(), z.string()).parse(JSON.parse(text))
for (const vector of await readVectors()) {
  const { faults, id } = await runVector({ issuer: values.issuer, secrets }, vector)
  process.stdout.write(
    `${faults.length === 0 ? 'ok  ' : 'FAIL'} ${id.padEnd(32)} ${vector.title}\n`,
  )
  for (const fault of faults) process.stdout.write(`       ${fault}\n`)
  if (faults.length > 0) process.exitCode = 1
}
