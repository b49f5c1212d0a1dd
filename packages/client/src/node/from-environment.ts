// Credentials from environment variables, with the file that one of them may name.
import type { Credentials } from '../authorization.ts'
import { clientSecret } from '../credentials/client-secret.ts'
import {
  fromEnvironment as fromVariables,
  type Environment,
  type EnvironmentSettings,
  type EnvironmentSource,
} from '../credentials/from-environment.ts'
import { readCredentialsFile } from './credentials-file.ts'

/** `DEPUTY_CREDENTIALS_FILE` names a file like the operator's, which the authorization server writes. */
export const readFileFromEnvironment: EnvironmentSource = (environment, settings) => {
  const { DEPUTY_CREDENTIALS_FILE: path } = environment
  if (!path) return undefined
  const { client_id: clientId, client_secret: secret, issuer } = readCredentialsFile(path)
  return clientSecret({ ...settings, issuer, clientId, clientSecret: secret })
}

/**
 * Reads credentials from the environment: `DEPUTY_API_KEY`, `DEPUTY_CLIENT_KEY`, `DEPUTY_CLIENT_SECRET`, and
 * then, which the one without Node does not, `DEPUTY_CREDENTIALS_FILE`. The first that is set is taken, and
 * never passed over because something is wrong with it. Throws `ClientError` (`environment_invalid`,
 * `credentials_file_invalid`), which names variables and files and never what they hold.
 */
export function fromEnvironment(
  environment: Environment,
  settings: EnvironmentSettings = {},
): Credentials {
  return fromVariables(environment, settings, [readFileFromEnvironment])
}
