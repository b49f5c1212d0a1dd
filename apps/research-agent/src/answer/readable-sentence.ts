// Which sentences are good to read when they are quoted by themselves.

const WORDS = { min: 6, max: 70 }

/** Whether anybody would want it quoted at all: not a question, a label, a link, a line that announces code. */
export function isWorthReading(text: string): boolean {
  const words = text.split(' ').length
  return words >= 3 && words <= WORDS.max && !/[?:]$/.test(text) && !/https?:\S+$/.test(text)
}

/** Whole sentences of prose that say something: not a question, a label, a list of links, a line that announces code or points elsewhere. */
export function isReadable(text: string): boolean {
  const words = text.split(' ').length
  if (words < WORDS.min || words > WORDS.max) return false
  return (
    /^["'“(`]?[\p{Lu}\p{N}@`]/u.test(text) &&
    /[.!]["'”)]?$/.test(text) &&
    !/https?:\S+$/.test(text) &&
    !POINTS_ELSEWHERE.test(text)
  )
}

/** Whether it makes sense without the sentence before it. */
export function readsAlone(text: string): boolean {
  return !LEANS_BACK.test(text) && !POINTS_AROUND.test(text)
}

const POINTS_ELSEWHERE =
  /^(?:see|read|refer to|check out|visit|click|for (?:more|further|details)|more (?:on|about|information)|learn more)\b/i

const LEANS_BACK =
  /^(?:this|that|these|those|it|its|they|their|he|she|such|however|but|and|or|so|then|also|therefore|otherwise|instead|additionally|furthermore|moreover|finally|here|again|just like|by doing|in (?:this|that|these|those) (?:case|example)s?|if (?:it|they|so|not)|for (?:example|instance)|as (?:such|above))\b/i

const POINTS_AROUND =
  /\b(?:above|below|following) (?:example|code|snippet)\b|\b(?:example|code|snippet|shown|see) (?:above|below)\b/i
