import { TRPCError } from '@trpc/server'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/**
 * Whether JSON is nested deeper than allowed. Attack prevented: what is nested a hundred thousand times is small on
 * the wire, and exhausts the stack of whatever walks it.
 */
export function isNestedDeeper(json: string, maxDepth: number): boolean {
  // Each level needs a bracket at both ends.
  if (json.length <= 2 * maxDepth || !hasMoreBrackets(json, maxDepth)) return false
  let depth = 0
  let isInText = false
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at)
    if (isInText) {
      if (code === BACKSLASH) at += 1
      else if (code === QUOTE) isInText = false
    } else if (code === QUOTE) isInText = true
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      depth += 1
      if (depth > maxDepth) return true
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth -= 1
  }
  return false
}

/** What is answered then. */
export function tooDeep(maxDepth: number): TRPCError {
  const message = `JSON is nested deeper than ${String(maxDepth)} levels`
  return new TRPCError({ code: 'PARSE_ERROR', message })
}

/** Most texts have fewer than so many brackets in all, which is found out far faster than where they are. */
function hasMoreBrackets(json: string, most: number): boolean {
  let found = 0
  for (const bracket of ['[', '{']) {
    for (let at = json.indexOf(bracket); at !== -1; at = json.indexOf(bracket, at + 1)) {
      found += 1
      if (found > most) return true
    }
  }
  return false
}
