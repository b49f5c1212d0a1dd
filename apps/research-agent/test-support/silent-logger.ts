import { createLogger, type Logger } from '@deputy/serve'

export const silent: Logger = createLogger({ name: 'test', level: 'silent' })
