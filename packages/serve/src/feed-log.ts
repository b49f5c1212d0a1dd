import type { FeedState } from '@deputy/auth'
import type { Logger } from 'pino'

/** Creates what writes into the log when the revocation feed is lost, and when it is there again. */
export function createFeedLog(logger: Logger): (state: FeedState) => void {
  let before: FeedState['state'] | undefined
  return (now) => {
    const isNews = now.state !== before
    before = now.state
    if (!isNews) return
    if (now.state === 'lost') {
      logger.warn({ detail: now.detail }, 'the revocation feed is lost: trying again')
    } else if (now.state === 'following') {
      logger.info('following the revocation feed')
    } else {
      logger.warn('the issuer has no revocation feed: tokens are good until they expire')
    }
  }
}
