export { findFreePort } from '../../../test/support/find-free-port.ts'
