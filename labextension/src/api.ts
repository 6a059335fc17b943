import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import {
  IDeployment,
  IDetail,
  IOverview,
  deployment,
  detail,
  overview
} from './payloads';
import { Reader } from './readers';

/** Base path of the server extension's routes. */
const NAMESPACE = 'bento-jupyter';

/** The server refused, or did not answer. */
export class ApiError extends Error {
  /**
   * @param message - What happened.
   * @param status - HTTP status; 0 when there was no answer.
   * @param hint - What to do about it; may be empty.
   */
  constructor(
    message: string,
    readonly status: number,
    readonly hint = ''
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** The only place that calls the server extension. */
export class BentoApi {
  constructor(readonly settings: ServerConnection.ISettings) {}

  /** The cloud and its deployments. */
  overview(): Promise<IOverview> {
    return this._call(overview, 'GET', 'overview');
  }

  /** One deployment with its last log lines. */
  detail(name: string, lines: number): Promise<IDetail> {
    const path = `${deploymentPath(name)}?lines=${lines}`;
    return this._call(detail, 'GET', path);
  }

  /** Terminate a deployment: its instances stop, it can be started again. */
  terminate(name: string): Promise<IDeployment> {
    return this._call(deployment, 'POST', deploymentPath(name, 'terminate'));
  }

  /** Start a terminated deployment again. */
  start(name: string): Promise<IDeployment> {
    return this._call(deployment, 'POST', deploymentPath(name, 'start'));
  }

  /** Start the embedded cloud and wait until it answers. */
  startCloud(): Promise<IOverview> {
    return this._call(overview, 'POST', 'cloud/start');
  }

  /** Stop the embedded cloud with everything it runs. */
  stopCloud(): Promise<IOverview> {
    return this._call(overview, 'POST', 'cloud/stop');
  }

  private async _call<T>(
    reader: Reader<T>,
    method: 'GET' | 'POST',
    path: string
  ): Promise<T> {
    const url = URLExt.join(this.settings.baseUrl, NAMESPACE, path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        url,
        { method },
        this.settings
      );
    } catch (reason) {
      throw new ApiError(reason instanceof Error ? reason.message : url, 0);
    }
    let body: unknown;
    try {
      body = await response.json();
    } catch {
      body = null;
    }
    if (!response.ok) {
      throw errorOf(response, body);
    }
    return reader(body, path);
  }
}

function deploymentPath(...parts: string[]): string {
  return ['deployments', ...parts.map(encodeURIComponent)].join('/');
}

function errorOf(response: Response, body: unknown): ApiError {
  const said = (body ?? {}) as { message?: unknown; hint?: unknown };
  const message =
    typeof said.message === 'string' && said.message
      ? said.message
      : `${response.status} ${response.statusText}`;
  const hint = typeof said.hint === 'string' ? said.hint : '';
  return new ApiError(message, response.status, hint);
}
