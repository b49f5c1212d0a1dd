import { describe, expect, test } from 'vitest'
import { toClientError } from '../error/to-client-error.ts'
import { toInputText } from '../input-text.ts'
import { createStreamCut, findCallFate } from './lost-call.ts'

function caught(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}

describe('a subscription', () => {
  test.each(['nothing came for 45000 ms', 'the stream was cut'])(
    'may go on where it stopped after: %s',
    (message) => {
      expect(findCallFate(toClientError(createStreamCut(message)))).toBe('lost')
    },
  )

  test('whose input is no JSON is begun once, and told why', () => {
    const error = toClientError(caught(() => toInputText({ amount: 1n })))

    expect(error).toMatchObject({ code: 'input_invalid' })
    expect(findCallFate(error)).toBe('hopeless')
  })
})
