import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import {
  IBento,
  IChange,
  IChanges,
  IConfiguration,
  IContext,
  IContextState,
  IDeployment,
  IEvent,
  IFieldProblem,
  IForm,
  IGarbage,
  IImage,
  IInstance,
  IInterface,
  IJob,
  ILogLine,
  ILogin,
  IMetrics,
  IOverview,
  IPackage,
  IPlan,
  IRevision,
  IStart,
  ITrafficItem,
  IWanted,
  readBentos,
  readChanges,
  readConfiguration,
  readContextStates,
  readContexts,
  readDeployment,
  readDone,
  readEvents,
  readForm,
  readGarbage,
  readImages,
  readInstances,
  readInterface,
  readJob,
  readLogTail,
  readMetrics,
  readOverview,
  readPackages,
  readPlan,
  readRefusal,
  readRevisions,
  readTraffic
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
   * @param problems - Which fields of a form it is about.
   */
  constructor(
    message: string,
    readonly status: number,
    readonly hint = '',
    readonly problems: readonly IFieldProblem[] = []
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** Which lines of a log. */
export interface ILogQuery {
  /** How many of the newest. */
  lines?: number;

  /** Of this instance, or `image`; absent = of all. */
  source?: string;

  /** Only lines that hold this text. */
  q?: string;

  /** `q` is a regular expression. */
  regex?: boolean;
}

/** A log as it is written. */
export interface ILogStream {
  /** No longer wanted. */
  close(): void;
}

/** Who listens to a log. */
export interface ILogListener {
  /** Lines have come. */
  lines: (lines: ILogLine[]) => void;

  /** Nothing comes any more; `reason` may be empty. */
  ended: (reason: string) => void;
}

/** The kinds of packages that a registry has. */
export type PackageKind = 'bentos' | 'models';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** The only place that calls the server extension. */
export class BentoApi {
  /**
   * @param settings - Of the Jupyter server.
   * @param cloud - Tells the cloud to ask, whenever something is asked; empty is the embedded one.
   */
  constructor(
    readonly settings: ServerConnection.ISettings,
    readonly cloud: () => string = () => ''
  ) {}

  /** The same, of one cloud, whichever is shown. */
  of(cloud: string): BentoApi {
    return new BentoApi(this.settings, () => cloud);
  }

  /** The cloud and its deployments. */
  overview(): Promise<IOverview> {
    return this._call(readOverview, 'GET', 'overview');
  }

  /** How some deployments are now. */
  changes(names: readonly string[]): Promise<IChanges> {
    const path = `changes${query({ names: names.join(',') })}`;
    return this._call(readChanges, 'GET', path);
  }

  /** How much some deployments were asked lately. */
  async traffic(names: readonly string[]): Promise<ITrafficItem[]> {
    const path = `traffic${query({ names: names.join(',') })}`;
    return (await this._call(readTraffic, 'GET', path)).items;
  }

  /** The clouds that the `bentoml` client is logged in to. */
  async contexts(): Promise<IContext[]> {
    return (await this._call(readContexts, 'GET', 'contexts')).items;
  }

  /** Whether those clouds answer and take their tokens. */
  async contextStates(): Promise<IContextState[]> {
    return (await this._call(readContextStates, 'GET', 'contexts/states'))
      .items;
  }

  /** Log in to a cloud; the token stays in the server. */
  login(wanted: ILogin): Promise<void> {
    return this._job('login', wanted);
  }

  /** Start the embedded cloud and say what runs its instances. */
  startCloudOn(wanted: IStart): Promise<void> {
    return this._job('cloud/start-on', wanted);
  }

  /** Make a cloud the one that plain `bentoml` commands use. */
  useContext(name: string): Promise<void> {
    return this._job('contexts/current', { cloud: name });
  }

  /** Log out of a cloud: its token is kept no more. */
  logOut(name: string): Promise<void> {
    return this._job('contexts/forget', { cloud: name });
  }

  /** The instances of a deployment. */
  async instances(name: string): Promise<IInstance[]> {
    const path = deploymentPath(name, 'instances');
    return (await this._call(readInstances, 'GET', path)).instances;
  }

  /** How a deployment has met its requests, by second or by minute. */
  metrics(name: string, step: 1 | 60): Promise<IMetrics> {
    const path = `${deploymentPath(name, 'metrics')}${query({ step })}`;
    return this._call(readMetrics, 'GET', path);
  }

  /** What happened to a deployment, newest first. */
  async events(name: string): Promise<IEvent[]> {
    const path = `${deploymentPath(name, 'events')}${query({ count: 200 })}`;
    return (await this._call(readEvents, 'GET', path)).events;
  }

  /** What a deployment was asked to be, newest first. */
  async revisions(name: string): Promise<IRevision[]> {
    const path = deploymentPath(name, 'revisions');
    return (await this._call(readRevisions, 'GET', path)).revisions;
  }

  /** A deployment's configuration to take elsewhere. */
  configuration(name: string): Promise<IConfiguration> {
    const path = deploymentPath(name, 'configuration');
    return this._call(readConfiguration, 'GET', path);
  }

  /** Lines of a deployment's log. */
  async logs(name: string, wanted: ILogQuery): Promise<ILogLine[]> {
    const path = `${deploymentPath(name, 'logs')}${query({ ...wanted })}`;
    return (await this._call(readLogTail, 'GET', path)).lines;
  }

  /** A deployment's log as it is written. */
  followLogs(
    name: string,
    wanted: ILogQuery,
    listener: ILogListener
  ): ILogStream {
    const { settings } = this;
    const token =
      settings.appendToken && settings.token !== ''
        ? { token: settings.token }
        : {};
    const socket = new settings.WebSocket(
      URLExt.join(
        settings.wsUrl,
        NAMESPACE,
        `${deploymentPath(name, 'logs', 'stream')}${query({ ...wanted, ...token, cloud: this.cloud() })}`
      )
    );
    let reason = '';
    socket.onmessage = message => {
      const said: unknown = JSON.parse(String(message.data));
      const { lines } = readLogTail(said, 'stream');
      if (lines.length > 0) {
        listener.lines(lines);
      }
      reason = (said as { message?: string }).message ?? '';
    };
    socket.onclose = () => listener.ended(reason);
    return {
      close: () => {
        socket.onmessage = null;
        socket.onclose = null;
        socket.close();
      }
    };
  }

  /** Where the pages of a deployment (Swagger) are reached from this browser. */
  pagesUrl(name: string): string {
    const path = `${deploymentPath(name, 'pages')}/`;
    const url = URLExt.join(this.settings.baseUrl, NAMESPACE, path);
    return url + query({ cloud: this.cloud() });
  }

  /** What a deployment can be asked. */
  interface(name: string): Promise<IInterface> {
    const path = deploymentPath(name, 'interface');
    return this._call(readInterface, 'GET', path);
  }

  /** Ask a deployment something; through the Jupyter server, which adds the token. */
  ask(name: string, route: string, request: RequestInit): Promise<Response> {
    const path = URLExt.join(deploymentPath(name, 'pages'), route);
    const headers = new Headers(request.headers);
    if (this.cloud() !== '') {
      // The query is the deployment's.
      headers.set('X-Bento-Cloud', encodeURIComponent(this.cloud()));
    }
    return ServerConnection.makeRequest(
      URLExt.join(this.settings.baseUrl, NAMESPACE, path),
      { ...request, headers },
      this.settings
    );
  }

  /** The Bentos of the registry and of the local store. */
  async bentos(): Promise<IBento[]> {
    return (await this._call(readBentos, 'GET', 'bentos')).items;
  }

  /** The models of the registry. */
  async models(): Promise<IPackage[]> {
    return (await this._call(readPackages, 'GET', 'models')).items;
  }

  /** Send a Bento to a cloud, and wait until it is there. */
  push(tag: string, cloud: string): Promise<void> {
    return this._job(packagePath('bentos', tag, 'push'), { cloud });
  }

  /** Write the project of a Bento into a new folder below Jupyter's root. */
  export(tag: string, folder: string): Promise<void> {
    return this._job(packagePath('bentos', tag, 'export'), { folder });
  }

  /** Delete a Bento or a model of the registry. */
  async deletePackage(kind: PackageKind, tag: string): Promise<void> {
    await this._call(readDone, 'DELETE', packagePath(kind, tag));
  }

  /** The environments that Bentos run in. */
  async images(): Promise<IImage[]> {
    return (await this._call(readImages, 'GET', 'images')).images;
  }

  /** What the cloud keeps that nobody needs. */
  garbage(): Promise<IGarbage> {
    return this._call(readGarbage, 'GET', 'garbage');
  }

  /** Delete what nobody needs. */
  collectGarbage(): Promise<IGarbage> {
    return this._call(readGarbage, 'DELETE', 'garbage');
  }

  /** Terminate a deployment: its instances stop, it can be started again. */
  terminate(name: string): Promise<IDeployment> {
    return this._act(name, 'terminate');
  }

  /** Start a terminated deployment again. */
  start(name: string): Promise<IDeployment> {
    return this._act(name, 'start');
  }

  /** Replace all instances of a deployment. */
  restart(name: string): Promise<IDeployment> {
    return this._act(name, 'restart');
  }

  /** Give a deployment what an earlier revision asked for. */
  rollback(name: string, revision: number): Promise<IDeployment> {
    return this._act(name, 'rollback', { revision });
  }

  /** Scale a deployment, switch its mode, give it another Bento. */
  change(name: string, change: IChange): Promise<IDeployment> {
    return this._call(readDeployment, 'PATCH', deploymentPath(name), change);
  }

  /** Delete a deployment for good. */
  async delete(name: string): Promise<void> {
    await this._call(readDone, 'DELETE', deploymentPath(name));
  }

  /** The Deploy dialog as it opens: of a new deployment, or of one that is named. */
  form(name: string, bento: string): Promise<IForm> {
    return this._call(readForm, 'GET', `form${query({ name, bento })}`);
  }

  /** What the Deploy dialog would do. */
  plan(wanted: IWanted): Promise<IPlan> {
    return this._call(readPlan, 'POST', 'plan', wanted);
  }

  /** Create a deployment, or update one. */
  deploy(wanted: IWanted): Promise<IDeployment> {
    return this._call(readDeployment, 'POST', 'deploy', wanted);
  }

  /** Start the embedded cloud and wait until it answers. */
  startCloud(): Promise<IOverview> {
    return this._call(readOverview, 'POST', 'cloud/start');
  }

  /** Stop the embedded cloud with everything it runs. */
  stopCloud(): Promise<IOverview> {
    return this._call(readOverview, 'POST', 'cloud/stop');
  }

  private _act(
    name: string,
    action: string,
    body?: object
  ): Promise<IDeployment> {
    const path = deploymentPath(name, action);
    return this._call(readDeployment, 'POST', path, body);
  }

  /** Begin something that takes its time, and wait for its end. */
  private async _job(path: string, body: object): Promise<void> {
    let job: IJob = await this._call(readJob, 'POST', path, body);
    while (job.state === 'running') {
      // Answers at the end, or after a while.
      job = await this._call(readJob, 'GET', `jobs/${job.id}`);
    }
    if (job.state === 'failed') {
      throw new ApiError(job.message, 0, job.hint);
    }
  }

  /** Where something is asked, of the cloud that is shown. */
  private _url(path: string): string {
    const [place, asked] = path.split('?');
    const about = query({ cloud: this.cloud() });
    const url = URLExt.join(this.settings.baseUrl, NAMESPACE, place ?? '');
    return asked ? `${url}?${asked}${about.replace('?', '&')}` : url + about;
  }

  private async _call<T>(
    reader: Reader<T>,
    method: Method,
    path: string,
    body?: object
  ): Promise<T> {
    const url = this._url(path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        url,
        body === undefined
          ? { method }
          : { method, body: JSON.stringify(body) },
        this.settings
      );
    } catch (reason) {
      throw new ApiError(reason instanceof Error ? reason.message : url, 0);
    }
    let said: unknown;
    try {
      said = await response.json();
    } catch {
      said = null;
    }
    if (!response.ok) {
      throw errorOf(response, said);
    }
    return reader(said, path);
  }
}

function deploymentPath(...parts: string[]): string {
  return ['deployments', ...parts.map(encodeURIComponent)].join('/');
}

function packagePath(
  kind: PackageKind,
  tag: string,
  ...rest: string[]
): string {
  return [kind, ...tag.split(':').map(encodeURIComponent), ...rest].join('/');
}

/** A query of what is given; empty when nothing is. */
function query(
  given: Record<string, string | number | boolean | undefined>
): string {
  const parts = Object.entries(given)
    .filter(
      ([, value]) => value !== undefined && value !== '' && value !== false
    )
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`);
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

function errorOf(response: Response, body: unknown): ApiError {
  const said = (body ?? {}) as Record<string, unknown>;
  const { message, hint } = said;
  return new ApiError(
    typeof message === 'string' && message
      ? message
      : `${response.status} ${response.statusText}`,
    response.status,
    typeof hint === 'string' ? hint : '',
    Array.isArray(said.problems) ? readRefusal(said, 'error').problems : []
  );
}
