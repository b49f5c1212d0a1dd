// Sentences of a document that speak to whoever works with it, as an injected instruction does. Finding one
// protects nothing: what a model may do is decided by policy. It is found so that a reader hears of it.
const SPEAKS_TO_MODELS = [
  /\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|any|your)\b.{0,30}\b(?:instructions?|prompts?|rules?|directions?)\b/i,
  /\b(?:system prompt|new instructions?)\s*:/i,
  /\byou are now\b.{0,60}\b(?:assistant|agent|model|mode|ai)\b/i,
  /\b(?:assistant|agent|model|ai)\b.{0,20}\b(?:must|should|shall)\b.{0,40}\b(?:call|invoke|transfer|send|reveal|deposit|execute)\b/i,
  /\b(?:call|invoke|use) the (?:tool|function)\b.{0,60}/i,
  /\b(?:reveal|print|send|output)\b.{0,30}\b(?:your|the)\b.{0,20}\b(?:tokens?|secrets?|credentials?|api keys?|system prompt)\b/i,
]

/** Whether a sentence reads like an instruction to a model. */
export function speaksToModels(text: string): boolean {
  return SPEAKS_TO_MODELS.some((pattern) => pattern.test(text))
}
