// What of a sentence allows no other words: numbers, however they are written, names, names from code, addresses,
// and the little words that turn a statement round.
const NUMBERS = /\d+(?:[.,:]\d+)*/g
const NAMES_OF_CODE = /`[^`]+`|\b[\w$]+(?:[._/-][\w$]+)+\b|\b[a-z]+[A-Z]\w*\b|\b[A-Z]+_[A-Z_]+\b/g
const ADDRESSES = /\b[a-z][a-z0-9+.-]*:\/\/[^\s)>\]"']+|\bwww\.[^\s)>\]"']+/gi
/** A word with a capital that does not begin the sentence. */
const NAMES = /(?<=[\p{L}\p{N},;:)("'’“]\s+["'“(]?)\p{Lu}[\p{L}'’]+/gu
const QUALIFIERS =
  /\b(?:before|after|until|least|most|more|less|fewer|above|below|over|under|within|only|unless|except|always|must|may|should|all|every|each|both|half|double|first|last)\b/gi

const NUMBER_WORDS: ReadonlyMap<string, string> = new Map(
  `zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
  eighteen nineteen`
    .split(/\s+/)
    .map((word, value) => [word, String(value)] as const)
    .concat(
      'twenty thirty forty fifty sixty seventy eighty ninety'
        .split(' ')
        .map((word, at) => [word, String(20 + 10 * at)] as const),
      [['hundred', '100'] as const, ['thousand', '1000'] as const, ['million', '1000000'] as const],
    ),
)
const WRITTEN_NUMBERS = new RegExp(`\\b(?:${[...NUMBER_WORDS.keys()].join('|')})\\b`, 'gi')

/** The marks of a text, each in one way of writing. "One" is as often no number: it is no mark. */
export function findMarks(text: string): ReadonlySet<string> {
  const found = (pattern: RegExp): readonly string[] => text.match(pattern) ?? []
  const strip = (mark: string): string => mark.replaceAll('`', '').toLowerCase()
  return new Set([
    ...found(NUMBERS).map((number) => number.replaceAll(/(?<=\d),(?=\d{3}\b)/g, '')),
    ...found(WRITTEN_NUMBERS).flatMap((word) => {
      const value = NUMBER_WORDS.get(word.toLowerCase()) ?? word
      return value === '1' ? [] : [value]
    }),
    ...found(NAMES_OF_CODE).map(strip),
    ...found(ADDRESSES).map(strip),
    ...found(NAMES).map(strip),
    ...found(QUALIFIERS).map(strip),
  ])
}

/** Whether a word is a number, in digits or written out. */
export function isNumber(word: string): boolean {
  return /^\d/.test(word) || NUMBER_WORDS.has(word)
}
