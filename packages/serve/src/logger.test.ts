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

  test('blacks out in an error, and in what a child says each time', () => {
    const { lines, logger } = createCapture()
    const err = Object.assign(new Error('x'), { headers: { authorization: 'hunter2' } })

    logger.error({ err }, 'x')
    logger.child({ token: 'hunter2', request: { key: 'hunter2' } }).info({ path: 'a' }, 'x')

    expect(lines.join('')).not.toContain('hunter2')
    expect(lines.join('').match(/\[redacted\]/g)).toHaveLength(3)
  })

  test('says in each line of a child what the child is to say', () => {
    const { lines, logger } = createCapture()

    const child = logger.child({ part: 'feed' })
    child.info({ path: 'a' }, 'x')
    child.child({ place: 2 }).info({ path: 'b' }, 'x')
    logger.info({ path: 'c' }, 'x')

    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { name: 'agent-x', part: 'feed', path: 'a' },
      { part: 'feed', place: 2, path: 'b' },
      { path: 'c' },
    ])
    expect(lines[2]).not.toContain('feed')
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
