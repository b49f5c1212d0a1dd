// What the answer to a question looks like, as far as the first words of the question tell.
const NUMBER =
  /\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety|hundred|half|third)\b/i

const ASKS: readonly { readonly question: RegExp; readonly answer: RegExp }[] = [
  {
    question:
      /\b(?:how (?:many|much|long|deep|high|thick|far|often|fast|old|wide)|at what|what (?:is|are) the (?:maximum|minimum|limit|price|cost)|within how)\b/i,
    answer: NUMBER,
  },
  {
    question: /^when\b|\band when\b|\bwhat time\b/i,
    answer: /\d|\b(?:when|before|after|until|from|during|while|once|daily|night|day|as soon as)\b/i,
  },
  {
    question: /^why\b|\band why\b/i,
    answer: /\b(?:because|since|so that|due to|therefore|in order to|after)\b/i,
  },
  {
    question: /^who\b|\band who\b/i,
    answer: /(?<=\w )\p{Lu}\p{Ll}+|\b(?:master|owner|officer|operator|pilot|board|chief|agent)\b/u,
  },
  {
    question: /^where\b|\band where\b/i,
    answer: /\b(?:at|in|on|behind|below|beside|under|to the)\b/i,
  },
  {
    question: /\b(?:not|no|never|forbidden|prohibited|without)\b|^(?:is|are|does|do|may|can)\b/i,
    answer: /\b(?:not|no|never|none|nobody|nothing|forbidden|prohibited|without|cannot)\b/i,
  },
  {
    question: /^what (?:is|are) (?:a|an|the)?\s*[\w ]{1,30}\?$|\bmeans?\b/i,
    answer: /^[^:]{1,40}:|\b(?:is|are|means?)\b/i,
  },
]

/** Whether a sentence has the form of an answer to the question. */
export function looksLikeAnswer(question: string, sentence: string): boolean {
  return ASKS.some((ask) => ask.question.test(question) && ask.answer.test(sentence))
}
