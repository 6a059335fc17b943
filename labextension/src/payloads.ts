/**
 * What the server extension sends: the part of `bento_jupyter/views.py` and
 * `bento_jupyter/server/payloads.py` that is shown.
 */
import {
  Reader,
  entries,
  flag,
  list,
  number,
  object,
  optional,
  text,
  time,
  word
} from './readers';

/** One cold start; `phases` are seconds per phase, in order. */
export interface IColdStart {
  at: number;
  seconds: number;
  phases: [string, number][];
}

/** One instance of a deployment. */
export interface IInstance {
  id: string;
  state: string;
  reason: string;
  started_at: number;
  memory_bytes: number | null;
  in_flight: number;
}

/** Limits of the number of instances. */
export interface IScaling {
  min: number;
  max: number;
  concurrency: number | null;
  idle_seconds: number | null;
}

/** One thing that a deployment can be asked. */
export interface IEndpoint {
  name: string;
  route: string;

  /** A JSON body that it takes, or nothing. */
  example: string;
}

/** A deployment as it is now. */
export interface IDeployment {
  name: string;
  status: string;
  reason: string;
  healthy: boolean;
  mode: 'online' | 'on-demand';
  url: string | null;
  endpoints: IEndpoint[];
  bento: string;
  protected: boolean;
  ready: number;
  wanted: number;
  scaling: IScaling;
  in_flight: number;
  queued: number;
  requests: number;
  errors: number;
  last_cold_start: IColdStart | null;
  instances: IInstance[];
  created_at: number;
  event_id: number;
}

/** The embedded cloud. */
export interface ICloud {
  endpoint: string;
  version: string;
  started_at: number;
  instances: number;
}

/** Everything the list shows. */
export interface IOverview {
  state: 'running' | 'stopped' | 'unreachable';
  message: string;
  cloud: ICloud | null;
  deployments: IDeployment[];
}

/** One line of a log; `source` is an instance's id or `image`. */
export interface ILogLine {
  at: number | null;
  source: string;
  text: string;
}

/** What an open row shows. */
export interface IDetail {
  deployment: IDeployment;
  lines: ILogLine[];
}

const coldStart = object<IColdStart>({
  at: time,
  seconds: number,
  phases: entries(number)
});

const instance = object<IInstance>({
  id: text,
  state: text,
  reason: text,
  started_at: time,
  memory_bytes: optional(number),
  in_flight: number
});

/** Reads a deployment. */
export const deployment: Reader<IDeployment> = object<IDeployment>({
  name: text,
  status: text,
  reason: text,
  healthy: flag,
  mode: word('online', 'on-demand'),
  url: optional(text),
  endpoints: list(
    object<IEndpoint>({ name: text, route: text, example: text })
  ),
  bento: text,
  protected: flag,
  ready: number,
  wanted: number,
  scaling: object<IScaling>({
    min: number,
    max: number,
    concurrency: optional(number),
    idle_seconds: optional(number)
  }),
  in_flight: number,
  queued: number,
  requests: number,
  errors: number,
  last_cold_start: optional(coldStart),
  instances: list(instance),
  created_at: time,
  event_id: number
});

/** Reads the overview. */
export const overview: Reader<IOverview> = object<IOverview>({
  state: word('running', 'stopped', 'unreachable'),
  message: text,
  cloud: optional(
    object<ICloud>({
      endpoint: text,
      version: text,
      started_at: time,
      instances: number
    })
  ),
  deployments: list(deployment)
});

/** Reads what an open row shows. */
export const detail: Reader<IDetail> = object<IDetail>({
  deployment,
  lines: list(
    object<ILogLine>({ at: optional(time), source: text, text: text })
  )
});
