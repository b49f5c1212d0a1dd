export { readCredentialsFile } from './credentials-file.ts'
