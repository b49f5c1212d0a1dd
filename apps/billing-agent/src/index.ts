export { createBillingAgent, type BillingAgentOptions } from './app.ts'
