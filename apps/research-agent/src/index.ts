export { createResearchAgent, type ResearchAgentOptions } from './app.ts'
