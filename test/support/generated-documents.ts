// Folders of any number of documents: words as often as in a language (Zipf's law), from a seed.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const SYLLABLES =
  'ba be bo da de do fa fe fi ga go ha he ka ke ko la le lo ma me mo na ne no pa pe po ra re ro sa se so ta te to va ve vo'.split(
    ' ',
  )
const VOCABULARY = 20_000
const LITTLE = 'the of and to a in is for that with as on by are it be or from at not'.split(' ')

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The word with that rank: the smaller the rank, the more often it is said. */
function toWord(rank: number): string {
  let rest = rank + SYLLABLES.length
  let word = ''
  while (rest > 0) {
    word += SYLLABLES[rest % SYLLABLES.length] ?? ''
    rest = Math.floor(rest / SYLLABLES.length)
  }
  return word
}

/** A word of the language, little words in between left out. */
export function pickWord(random: () => number): string {
  return toWord(Math.floor(VOCABULARY ** random()) - 1)
}

function makeSentence(random: () => number): string {
  const words = Array.from({ length: 8 + Math.floor(random() * 14) }, () =>
    random() < 0.4 ? (LITTLE[Math.floor(random() * LITTLE.length)] ?? 'the') : pickWord(random),
  )
  const text = words.join(' ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** A document of about 4,000 characters: headings, paragraphs, a list and a table. */
export function makeDocument(random: () => number): string {
  const paragraph = (): string =>
    Array.from({ length: 2 + Math.floor(random() * 4) }, () => makeSentence(random)).join(' ')
  const section = (): string =>
    [
      `## ${makeSentence(random).slice(0, 40)}`,
      ...Array.from({ length: 3 }, paragraph),
      Array.from({ length: 3 }, () => `- ${makeSentence(random)}`).join('\n'),
    ].join('\n\n')
  const row = (): string => `| ${pickWord(random)} | ${String(Math.floor(random() * 1000))} |`
  return [
    `# ${makeSentence(random).slice(0, 50)}`,
    section(),
    section(),
    ['| name | value |', '| --- | --- |', row(), row(), row()].join('\n'),
    '',
  ].join('\n\n')
}

/** The name of a document: a hundred to a folder. */
export function toDocumentName(number: number): string {
  return `part-${String(Math.floor(number / 100))}/document-${String(number)}.md`
}

/** Writes so many documents into a folder. */
export async function writeGeneratedDocuments(folder: string, count: number): Promise<void> {
  const random = createRandom(count)
  for (let number = 0; number < count; number += 1) {
    const path = join(folder, toDocumentName(number))
    if (number % 100 === 0) await mkdir(dirname(path), { recursive: true })
    await writeFile(path, makeDocument(random))
  }
}
