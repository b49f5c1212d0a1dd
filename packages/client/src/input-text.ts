import { ClientError } from './error/client-error.ts'

/** An input as it is sent; `undefined` where there is none. Throws a `ClientError` for what JSON cannot hold. */
export function toInputText(input: unknown): string | undefined {
  try {
    const text: string | undefined = JSON.stringify(input)
    return text
  } catch (cause) {
    throw new ClientError({
      code: 'input_invalid',
      message: 'the input cannot be written as JSON',
      hint: 'Inputs hold no BigInt and no object that holds itself.',
      cause,
    })
  }
}
