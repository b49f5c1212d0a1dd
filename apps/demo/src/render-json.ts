import type { Transcript } from './transcript.ts'

/** Writes each event as one line of JSON. */
export function createJsonRenderer(write: (text: string) => void): Transcript {
  return (event) => {
    write(`${JSON.stringify(event)}\n`)
  }
}
