import { describe, expect, test } from 'vitest'
import { createLogger } from './index.ts'

function createCapture(level?: string) {
  const lines: string[] = []
  const logger = createLogger({ name: 'agent-x', level, write: (line) => void lines.push(line) })
  return { lines, logger }
}

describe('the logger', () => {
  test('writes one line of JSON with the name of who logs', () => {
    const { lines, logger } = createCapture()

    logger.info({ path: 'balance' }, 'call\nforged line')

    expect(lines).toHaveLength(1)
    expect(lines[0]?.trimEnd()).not.toContain('\n')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      name: 'agent-x',
      path: 'balance',
      msg: 'call\nforged line',
    })
  })

  test.each([
    'authorization',
    'x-api-key',
    'headers',
    'token',
    'access_token',
    'client_secret',
    'clientSecret',
    'key',
    'secret',
  ])('blacks out %s, at the top and one level down', (name) => {
    const { lines, logger } = createCapture()

    logger.info({ [name]: 'hunter2', request: { [name]: 'hunter2' } }, 'x')

    expect(lines.join('')).not.toContain('hunter2')
    expect(lines.join('').match(/\[redacted\]/g)).toHaveLength(2)
  })

  test('writes nothing below its level', () => {
    const { lines, logger } = createCapture('warn')

    logger.info('quiet')
    logger.warn('loud')

    expect(lines).toHaveLength(1)
  })

  test('refuses a level that there is not', () => {
    expect(() => createCapture('loud')).toThrow(/default level:loud/)
  })
})
