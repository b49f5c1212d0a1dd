import type { EpochSeconds } from '@deputy/auth/protocol'

/** When credentials of every kind were last used. The records of credentials show it. */
export type CredentialUseStore = {
  /** Writes last uses, by the ids of the credentials. An earlier one than is there changes nothing. */
  touch(uses: ReadonlyMap<string, EpochSeconds>): Promise<void>
}
