import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createLogLines } from './log-lines.ts'

function createCapture() {
  const writes: string[] = []
  return { writes, lines: createLogLines((written) => void writes.push(written)) }
}

test('the lines of one turn of the event loop go out in one write, at its end', async () => {
  const { lines, writes } = createCapture()

  lines.write('one\n')
  lines.write('two\n')
  expect(writes).toEqual([])
  await setImmediate()
  lines.write('three\n')
  await setImmediate()

  expect(writes).toEqual(['one\ntwo\n', 'three\n'])
})

test('what is held does not grow with the turn', () => {
  const { lines, writes } = createCapture()
  const line = `${'x'.repeat(1023)}\n`

  for (let count = 0; count < 200; count += 1) lines.write(line)

  expect(writes.map((written) => written.length)).toEqual([65_536, 65_536, 65_536])
})

test('what is held can be had at once, and comes once', async () => {
  const { lines, writes } = createCapture()

  lines.write('one\n')
  lines.flush()
  lines.flush()
  await setImmediate()

  expect(writes).toEqual(['one\n'])
})

test('a line that was written leaves no listener behind', async () => {
  const before = process.listenerCount('exit')
  const { lines } = createCapture()

  lines.write('one\n')
  expect(process.listenerCount('exit')).toBe(before + 1)
  await setImmediate()

  expect(process.listenerCount('exit')).toBe(before)
})

const LOGGER = new URL('logger.ts', import.meta.url).href
const SIGNALS = new URL('close-on-signal.ts', import.meta.url).href

/** Runs a module whose logger is `logger`; answers what it said on standard error, and how it ended. */
async function run(code: string, signal?: NodeJS.Signals) {
  const module = `import { createLogger } from '${LOGGER}'
    import { closeOnSignal } from '${SIGNALS}'
    const logger = createLogger({ name: 'agent-x' })
    ${code}`
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--conditions=@deputy/source',
      '--input-type=module',
      '--eval',
      module,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const said = text(child.stderr)
  if (signal !== undefined) {
    await once(child.stdout, 'data')
    child.kill(signal)
  }
  const [exitCode] = await once(child, 'exit')
  const messages = (await said)
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => (JSON.parse(line) as { msg: string }).msg)
  return { exitCode: exitCode as number | null, messages }
}

const LAST_WORDS = `for (let call = 0; call < 500; call += 1) logger.info({ call }, 'call ' + call)`
const all = Array.from({ length: 500 }, (_, call) => `call ${String(call)}`)

test.each([
  ['ends by itself', '', 0],
  ['exits in the same turn', 'process.exit(3)', 3],
  ['ends by an error that nothing caught', 'throw new Error("a bug")', 1],
])('no line is lost when the process %s', async (_, end, exitCode) => {
  expect(await run(`${LAST_WORDS}\n${end}`)).toEqual({ exitCode, messages: all })
})

test('no line is lost on SIGTERM', async () => {
  // The last lines are written in the turn in which the process exits.
  const code = `closeOnSignal(async () => { ${LAST_WORDS} }, logger)
    setInterval(() => {}, 1000)
    process.stdout.write('ready')`

  expect(await run(code, 'SIGTERM')).toEqual({ exitCode: 0, messages: ['closing', ...all] })
})
