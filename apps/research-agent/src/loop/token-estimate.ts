// How many tokens something will be, before a provider has counted it, or where it does not count.
import type { ModelMessage } from 'ai'

/** English has about four characters a token, JSON and code fewer: rather too many than too few. */
const CHARACTERS_A_TOKEN = 3

/** Of a text. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_A_TOKEN)
}

/** Of messages, as they are sent. */
export function estimateMessages(messages: readonly ModelMessage[]): number {
  return estimateTokens(JSON.stringify(messages))
}
