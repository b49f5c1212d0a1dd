// What the server and the thread that reads secrets say to each other.
import type { AuthorityVersion } from '../clients/client-directory.ts'

export type SecretReaderData = { readonly file: string; readonly statement: string }

export type SecretPageRequest = { readonly after: number }

export type SecretPage =
  | {
      readonly version: AuthorityVersion
      /** Records, one after the other; the settings that they name are by their places in `settings`. */
      readonly bytes: Uint8Array
      /** JSON of the columns of an agent, without its id. */
      readonly settings: readonly string[]
      /** Where the next page begins; `undefined` after the last. */
      readonly after: number | undefined
      readonly fault?: undefined
    }
  | { readonly fault: string }
