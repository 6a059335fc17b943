import type { TranslationBundle } from '@jupyterlab/translation';

/** A deployment as the server extension sends it. */
export function deployment(
  name: string,
  changes: Record<string, unknown> = {}
): Record<string, unknown> {
  return {
    name,
    status: 'running',
    reason: '',
    healthy: true,
    mode: 'online',
    url: 'http://127.0.0.1:20000',
    endpoints: [],
    bento: `${name}:v1`,
    protected: false,
    ready: 1,
    wanted: 1,
    scaling: {
      min: 1,
      max: 1,
      concurrency: null,
      idle_seconds: null,
      scale_up_seconds: 0
    },
    instance_type: 'cpu.1',
    envs: [],
    labels: {},
    image: null,
    sets: [],
    revision: 1,
    updated_at: null,
    creator: 'someone',
    owner: '',
    expires_at: null,
    last_request_at: null,
    in_flight: 0,
    queued: 0,
    requests: 0,
    errors: 0,
    last_cold_start: {
      at: '2026-01-02T03:04:05Z',
      seconds: 1.5,
      phases: { process: 0.1, imports: 1, load: 0.3, ready: 0.1 }
    },
    instances: [
      {
        id: `${name}-abcd`,
        state: 'ready',
        reason: '',
        started_at: '2026-01-02T03:04:05Z',
        pid: 1,
        memory_bytes: 1e8,
        in_flight: 0,
        cold_start: null,
        version: 'main',
        service: 'Echo',
        cpu: 0.1,
        restarts: 0,
        age_seconds: 1
      }
    ],
    created_at: '2026-01-02T03:04:00Z',
    event_id: 1,
    ...changes
  };
}

/** An overview of a running cloud as the server extension sends it. */
export function overview(
  ...deployments: Record<string, unknown>[]
): Record<string, unknown> {
  return {
    context: '',
    state: 'running',
    message: '',
    cloud: {
      endpoint: 'http://127.0.0.1:10000',
      version: '0.1.0',
      started_at: '2026-01-02T03:00:00Z',
      pid: 1,
      deployments: deployments.length,
      event_id: 1,
      zygotes: [],
      engine: 'processes',
      nodes: [],
      instances: 1
    },
    deployments,
    event_id: 1
  };
}

function filled(text: string, values: unknown[]): string {
  return text.replace(/%(\d+)/g, (_, place: string) =>
    String(values[Number(place) - 1])
  );
}

/**
 * English as it stands in the source. JupyterLab's own null translator comes in
 * a package that only bundlers can load.
 */
export const trans = {
  __: (text: string, ...values: unknown[]) => filled(text, values),
  _n: (one: string, many: string, count: number, ...values: unknown[]) =>
    filled(count === 1 ? one : many, [count, ...values])
} as unknown as TranslationBundle;
