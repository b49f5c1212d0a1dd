/**
 * Where several processes of one agent share their tokens, so that they ask for one together. Every value
 * is a secret: an adapter keeps it from everybody but the agent itself, or is wrapped in
 * `createSealedTokenCache`. A cache that fails costs requests, never calls.
 */
export type TokenCache = {
  /** What was written under this name and has not ended. */
  read(name: string): Promise<string | undefined>
  /** Keeps a value for so long at most, in place of what was there. */
  write(name: string, value: string, ttlSeconds: number): Promise<void>
  /**
   * Claims the right to ask for the token of this name, for so long at most. Of several that claim at once
   * exactly one gets `true`. @param holder names who claims, and is nobody else's
   */
  claim(name: string, holder: string, ttlSeconds: number): Promise<boolean>
  /** Gives the right back before its time, where it is still this holder's. */
  release(name: string, holder: string): Promise<void>
}
