export { aiTools, readToolContract, type AiToolsOptions, type ToolContract } from './ai-tools.ts'
export { REDACTED, redactSecrets } from '../error/redact-secrets.ts'
export { ToolError } from './tool-error.ts'
export type { AiTools, ToolName, ToolPath } from './tool-types.ts'
