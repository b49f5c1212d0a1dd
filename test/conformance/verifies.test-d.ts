import { verifies } from './verifies.ts'

verifies('rfc7009-2.2-unknown-token', 'compiles', async () => {})

// @ts-expect-error: no standard demands this.
verifies('rfc7009-2.2-no-such-thing', 'does not compile', async () => {})

// @ts-expect-error: it does not apply, so no test can show it.
verifies('rfc7009-2-revoke-refresh-tokens', 'does not compile', async () => {})
