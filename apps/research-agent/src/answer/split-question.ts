// A question that asks for several things, as the things that it asks for.
const AND_ANOTHER =
  /[,;]?\s+and\s+(?=(?:how|what|where|when|who|whom|whose|which|why|may|must|should|is|are|was|does|do|did|can|has|have)\b)|\?\s+(?=\S)/i

/** Most parts that are looked for by themselves. */
const MAX_PARTS = 4

/** The parts of a question; just the question where it asks for one thing. */
export function splitQuestion(question: string): readonly string[] {
  return question.split(AND_ANOTHER, MAX_PARTS)
}
