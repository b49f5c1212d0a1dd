export { createResearchAgent, type ResearchAgentOptions } from './app.ts'
export {
  openDocumentSearch,
  type DocumentSearch,
  type DocumentSearchOptions,
} from './document-search.ts'
