// How many tokens something will be, before a provider has counted it, or where it does not count.
import { asSchema, type ModelMessage, type ToolSet } from 'ai'
import { INSTRUCTIONS } from './prompt.ts'

/** English has about four characters a token, JSON and code fewer: rather too many than too few. */
const CHARACTERS_A_TOKEN = 3

/** Of a text. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_A_TOKEN)
}

/** Of what is sent with each step: the instructions, the tools with the schemas of their inputs, and the messages. */
export async function estimateRequest(
  messages: readonly ModelMessage[],
  tools: ToolSet,
): Promise<number> {
  const described = await Promise.all(
    Object.entries(tools).map(async ([name, { description, inputSchema }]) => {
      return { name, description, parameters: await asSchema(inputSchema).jsonSchema }
    }),
  )
  return estimateTokens(INSTRUCTIONS + JSON.stringify([described, messages]))
}
