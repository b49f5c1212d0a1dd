// Whether `crypto.subtle` is at work. Other threads do that work and Node tells nobody of it, so its
// methods are replaced by ones that count, for as long as there is a world.

export type SubtleWatch = {
  begin(): void
  end(): void
  isAtWork(): boolean
}

const METHODS = [
  'decrypt',
  'deriveBits',
  'deriveKey',
  'digest',
  'encrypt',
  'exportKey',
  'generateKey',
  'importKey',
  'sign',
  'unwrapKey',
  'verify',
  'wrapKey',
] as const

/** Creates the watch. `onEnd` is told of the end of each piece of work. */
export function createSubtleWatch(onEnd: () => void): SubtleWatch {
  const prototype: object = Object.getPrototypeOf(crypto.subtle)
  const originals = new Map<string, PropertyDescriptor>()
  let underWay = 0

  async function count(work: unknown): Promise<unknown> {
    underWay += 1
    try {
      return await work
    } finally {
      underWay -= 1
      onEnd()
    }
  }

  return {
    begin() {
      for (const name of METHODS) {
        const original = Object.getOwnPropertyDescriptor(prototype, name)
        const method: unknown = original?.value
        if (original === undefined || typeof method !== 'function') continue
        originals.set(name, original)
        const value = function counted(this: unknown, ...given: unknown[]): Promise<unknown> {
          return count(Reflect.apply(method, this, given))
        }
        Object.defineProperty(prototype, name, { ...original, value })
      }
    },
    end() {
      for (const [name, original] of originals) Object.defineProperty(prototype, name, original)
      originals.clear()
    },
    isAtWork: () => underWay > 0,
  }
}
