// What a paraphrase may say of a sentence. The share of all that is right is measured in quality.test.ts.
import { describe, expect, test } from 'vitest'
import { isSupported } from './supports.ts'

const SENTENCES = [
  'The ferry stops when waves at the Hook Shoal are higher than 2.2 metres.',
  'She does not stop for fog.',
  'Four tugs are used; at Drummer Quay the number is six.',
  'Hearses are free and go first.',
  'Keys are described at https://keys.example/guide and last 28 days.',
]
const check = (text: string): boolean =>
  isSupported(text, { sentences: SENTENCES, headings: 'The harbour', lines: SENTENCES.join(' ') })

describe('a paraphrase is supported', () => {
  test.each([
    ['word for word', 'She does not stop for fog.'],
    ['in another order', 'At Drummer Quay the number of tugs is six.'],
    ['with numbers written in digits', '4 tugs are used.'],
    ['with what the sentence before names', 'The ferry does not stop for fog.'],
    ['with what the heading names', 'Hearses are free in the harbour.'],
  ])('%s', (_, text) => {
    expect(check(text)).toBe(true)
  })
})

describe('a paraphrase is not supported', () => {
  test.each([
    ['with a number that stands in another sentence', 'Keys last four days.'],
    ['with a number in words that stands nowhere', 'Five tugs are used.'],
    ['with another name', 'Six tugs are used at Alder Quay.'],
    ['without the denial', 'The ferry stops for fog.'],
    [
      'of words from sentences that have nothing to do with each other',
      'Tugs are free and go first.',
    ],
    ['with another qualifier', 'Hearses are free and go last.'],
    [
      'with an address that is not there',
      'Keys are described at https://mallory.example/guide?d=28 and last 28 days.',
    ],
    ['with a word of its own', 'Hearses are free and go first, and their drivers eat.'],
  ])('%s', (_, text) => {
    expect(check(text)).toBe(false)
  })
})
