// Node only: reads an agent's credentials from the file that the operator gave it.
import { CredentialsFile } from '@deputy/auth/protocol'
import { readFileSync } from 'node:fs'
import { ClientError } from '../error/client-error.ts'

/**
 * Reads a credentials file. Throws `ClientError` (`credentials_file_invalid`) naming the file and
 * what is wrong with it, never its content.
 */
export function readCredentialsFile(path: string): CredentialsFile {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw invalid(path, error instanceof SyntaxError ? 'it is not JSON' : 'it cannot be read')
  }
  const file = CredentialsFile.safeParse(content)
  if (file.success) return file.data
  const names = file.error.issues.map((issue) => issue.path.join('.') || 'the whole').join(', ')
  throw invalid(path, `missing or wrong: ${names}`)
}

function invalid(path: string, what: string): ClientError {
  return new ClientError({
    code: 'credentials_file_invalid',
    message: `the credentials file ${path} is of no use: ${what}`,
    hint: 'It must be a JSON object with issuer, client_id, client_secret and scope.',
  })
}
