import type { OwnerId } from './owner.ts'

/**
 * Lifts the border between owners. For the server's own work (authenticating a client that may be
 * anybody's) and for its operators; a symbol, so that no input from outside can ever become it.
 */
export const EVERY_OWNER: unique symbol = Symbol('every owner')

/** Whose things a query may see: one owner's, or everybody's. No query of the stores goes without. */
export type Tenancy = OwnerId | typeof EVERY_OWNER
