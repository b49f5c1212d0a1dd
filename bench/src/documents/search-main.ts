// A process of its own for one size, so that its memory is that of nothing else: indexes a folder, asks, and opens the
// same index again, unchanged and with one document in a hundred changed. Answers in one line of JSON.
import { openDocumentSearch } from '../../../apps/research-agent/src/index.ts'
import { createLogger } from '../../../packages/serve/src/index.ts'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Measured } from './run-documents-bench.ts'
import {
  createRandom,
  makeDocument,
  pickWord,
  toDocumentName,
} from '../../../test/support/generated-documents.ts'

const [folder = '', databaseFile = '', questions = '0'] = process.argv.slice(2)
const logger = createLogger({ name: 'bench', level: 'silent' })
const open = async () => openDocumentSearch({ folder, databaseFile, logger })

async function timed<Value>(work: () => Promise<Value>): Promise<[Value, number]> {
  const startedMs = performance.now()
  const value = await work()
  return [value, performance.now() - startedMs]
}

const random = createRandom(7)
const [first, indexMs] = await timed(open)
const queryMs: number[] = []
let found = 0
for (let asked = 0; asked < Number(questions); asked += 1) {
  const words = Array.from({ length: 3 + (asked % 5) }, () => pickWord(random))
  const [sentences, ms] = await timed(async () => first.search(`What is ${words.join(' ')}?`, 5))
  queryMs.push(ms)
  found += sentences.length
}
if (found === 0) throw new Error('no question found a sentence')
const { documents } = first
await first[Symbol.asyncDispose]()

const [second, unchangedMs] = await timed(open)
await second[Symbol.asyncDispose]()
for (let number = 0; number < documents; number += 100) {
  await writeFile(join(folder, toDocumentName(number)), `${makeDocument(random)}\nChanged.\n`)
}
const [third, changedMs] = await timed(open)
await third[Symbol.asyncDispose]()

const peakMb = process.resourceUsage().maxRSS / 1024
const result: Measured = {
  documents,
  indexMs,
  unchangedMs,
  changedMs,
  queryMs,
  peakMb,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
