// Metrics for Prometheus, on a port of their own: who may call an agent's procedures is not who may see its metrics.
import { metrics } from '@opentelemetry/api'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { createServer } from 'node:http'
import { readPath, sendJson } from '../http-routes.ts'
import { listen } from '../listen.ts'

/** Where the metrics are. */
export const METRICS_PATH = '/metrics'

export type ServeMetricsOptions = {
  /** Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** 0 lets the system choose. */
  readonly port: number
}

export type RunningMetrics = AsyncDisposable & {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves what is measured by OpenTelemetry's API in this process from now on, in Prometheus' text format. Rejects with
 * `ListenError` when the port is taken or not allowed, and with `TypeError` when the process has metrics already.
 */
export async function serveMetrics({ host, port }: ServeMetricsOptions): Promise<RunningMetrics> {
  const exporter = new PrometheusExporter({
    preventServerStart: true,
    // It would name the path of the executable.
    withoutTargetInfo: true,
  })
  const provider = new MeterProvider({ readers: [exporter] })
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (req, res) => {
    if (readPath(req) !== METRICS_PATH) {
      sendJson(res, 404, { error: 'not_found', message: `metrics are at ${METRICS_PATH}` })
    } else if (req.method === 'GET') exporter.getMetricsRequestHandler(req, res)
    else {
      res.setHeader('allow', 'GET')
      sendJson(res, 405, { error: 'method_not_allowed', message: 'use GET' })
    }
  })
  const bound = await listen(server, { host, port })
  const closeServer = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }
  if (!metrics.setGlobalMeterProvider(provider)) {
    await closeServer()
    throw new TypeError('this process has metrics already')
  }
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> =>
    (closing ??= (async () => {
      metrics.disable()
      await closeServer()
      await provider.shutdown()
    })())
  const url = `http://${bound.host}:${String(bound.port)}${METRICS_PATH}`
  return { url, close, [Symbol.asyncDispose]: close }
}
