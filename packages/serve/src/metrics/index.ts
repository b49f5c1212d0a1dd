export {
  METRICS_PATH,
  serveMetrics,
  type RunningMetrics,
  type ServeMetricsOptions,
} from './serve-metrics.ts'
