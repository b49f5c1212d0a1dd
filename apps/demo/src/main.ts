import { DemoError } from './demo-error.ts'
import { parseOptions } from './options.ts'
import { createJsonRenderer } from './render-json.ts'
import { createTextRenderer } from './render-text.ts'
import { runDemo } from './run-demo.ts'

const options = parseOptions(process.argv.slice(2))
const write = (text: string): void => {
  process.stdout.write(text)
}
const stop = new AbortController()
/** One Ctrl-C can arrive twice, from the terminal and from the launcher; a second one comes later. */
const IMPATIENT_AFTER_MS = 1000
let stoppedAtMs = 0
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted && performance.now() - stoppedAtMs > IMPATIENT_AFTER_MS) {
      // The servers see that we are gone and end by themselves.
      process.exit(130)
    }
    if (!stop.signal.aborted) stoppedAtMs = performance.now()
    stop.abort()
  })
}
try {
  const transcript = options.json ? createJsonRenderer(write) : createTextRenderer(write)
  await runDemo(options, transcript, stop.signal)
} catch (error) {
  if (!stop.signal.aborted) {
    // What a person can put right is one sentence; anything else is a bug and keeps its stack.
    console.error(error instanceof DemoError ? `deputy: ${error.message}` : error)
    process.exitCode = 1
  }
}
