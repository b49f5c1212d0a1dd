// Lines on their way to a file descriptor: those of one turn of the event loop go out in one write. A line
// each costs a call of the system for each call of the agent; nothing waits for longer than the turn takes.
import { setImmediate } from 'node:timers'

export type LogLines = {
  /** Takes a line, with its line break. */
  write(line: string): void
  /** Writes what is held, at once. */
  flush(): void
}

/** More than this is not held back, in characters. */
const MAX_HELD_CHARS = 64 * 1024

/**
 * Creates the way out.
 *
 * Nothing is lost when the process ends by itself, by `process.exit` or by an error that nothing caught; of one
 * that is killed outright (SIGKILL), what the last turn said.
 *
 * @param write writes all of a text before it returns
 */
export function createLogLines(write: (text: string) => void): LogLines {
  let held = ''
  let turn: NodeJS.Immediate | undefined

  function flush(): void {
    if (turn === undefined) return
    clearImmediate(turn)
    turn = undefined
    process.off('exit', flush)
    const text = held
    held = ''
    write(text)
  }

  return {
    write(line) {
      held += line
      if (turn === undefined) {
        turn = setImmediate(flush)
        process.once('exit', flush)
      }
      if (held.length >= MAX_HELD_CHARS) flush()
    },
    flush,
  }
}
