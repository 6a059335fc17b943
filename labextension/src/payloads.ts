/**
 * What the server extension sends and takes. Generated from its models by
 * `generate_payloads.py`; do not edit.
 */
import {
  Reader,
  anything,
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

/** A part of a form that an endpoint takes. */
export interface IAskedPart {
  /** Its name; "" = the whole body is this. */
  name: string;
  /** Whether it is a file; else it is JSON. */
  file: boolean;
  /** Whether there may be several files. */
  many: boolean;
  /** JSON that it takes; "" for files. */
  example: string;
}

/** How the last proof of a Bento came out. */
export interface IProofNote {
  /** It answered as the objects in the notebook did. */
  equal: boolean;
  /** The proof in one line, e.g. "1 endpoint, 5 rows, max difference 0". */
  line: string;
  /** When it was proven. */
  at: number;
  /** When the Bento was built, as its `bento.yaml` says: another one under the same tag is not the one that was proven. */
  built_at: number | null;
}

/** A Bento of the cloud's registry, of the local store, or of both. */
export interface IBento {
  tag: string;
  digest: string;
  size_bytes: number;
  status: string;
  reason: string;
  used_by: string[];
  created_at: number;
  /** Whether the registry of the cloud that is shown has it; only then it can be deployed there. */
  in_cloud: boolean;
  /** Whether the local store has it. */
  in_store: boolean;
  /** How its last proof on this machine came out; None when there was none. */
  proof: IProofNote | null;
}

/** The Bentos that there are, newest first. */
export interface IBentos {
  items: IBento[];
}

/** One thing that a deployment can be asked. */
export interface IEndpoint {
  /** Name of the endpoint. */
  name: string;
  /** Path below the deployment's URL. */
  route: string;
  /** A JSON body that it takes; "" when it takes files, or the body would be long. */
  example: string;
}

/** How many instances, and when. */
export interface IScaling {
  /** Fewest instances; 0 makes the deployment on-demand. */
  min: number;
  /** Most instances. */
  max: number;
  /** Requests that one instance works on at a time; None = no limit. */
  concurrency: number | null;
  /** How long without need an instance is kept before it is stopped (BentoCloud's `scale_down_stabilization_window`), 0 to 3600. */
  idle_seconds: number | null;
  /** How long more instances must be wanted before they are started (`scale_up_stabilization_window`); never delays the first instance. */
  scale_up_seconds: number;
}

/** One cold start, from the wish for an instance to its readiness. */
export interface IColdStart {
  /** When it began. */
  at: number;
  /** Whole duration. */
  seconds: number;
  /** Seconds per phase, in order: `process` (until the interpreter runs), `imports`, `load` (Bento, model and app), `ready`. */
  phases: [string, number][];
}

/** What a Bento runs in: an environment of Python packages, or an OCI image. */
export interface IImage {
  /** Content hash. */
  key: string;
  /** `environment` or `oci`. */
  kind: string;
  /** pending, building, success or failed. */
  status: string;
  /** Why it failed; "" otherwise. */
  reason: string;
  /** How long the build took; None until it is over. */
  seconds: number | null;
  /** True when it was there already. */
  cached: boolean;
  /** Size of its files, which it may share with others; None = not looked at. */
  size_bytes: number | null;
  /** When its state changed last; None = before the cloud started. */
  at: number | null;
  /** Deployments that run in it; empty where that was not asked. */
  used_by: string[];
  /** `sha256:...` of an OCI image; "" until it is built. */
  digest: string;
  /** Its name in the storage of the program that runs it; "" until it is built. */
  reference: string;
  /** The program that has built it; "" until then. */
  builder: string;
  /** File with the log of its build, on the machine of the cloud. */
  log: string;
}

/** One instance of a deployment, as shown. */
export interface IInstance {
  /** Unique id, `<deployment>-<4 letters>`. */
  id: string;
  /** Its state. */
  state: string;
  /** Why it is in that state, in words; "" when all is well. */
  reason: string;
  /** When it was started. */
  started_at: number;
  /** Process id on this machine; None where that means nothing. */
  pid: number | null;
  /** Resident memory; None = not measured yet. */
  memory_bytes: number | null;
  /** Requests it works on now. */
  in_flight: number;
  /** How it came up; None while it is starting. */
  cold_start: IColdStart | null;
  /** Version of the deployment that it belongs to. */
  version: string;
  /** Service of the Bento that it serves; "" where the cloud does not say. */
  service: string;
  /** CPUs it has used lately, 1.0 = one whole; None = not measured yet. */
  cpu: number | null;
  /** How many instances in its place failed one after the other before it. */
  restarts: number;
  age_seconds: number;
}

/** The instances of one service in one version of a deployment, as shown. */
export interface IReplicaSet {
  /** `main`, or the name of the canary. */
  version: string;
  /** The service. */
  service: string;
  /** Tag of the version's Bento. */
  bento: string;
  /** Percentage of the deployment's requests that it is to get; None = only other services call it. */
  weight: number | null;
  /** Its limits. */
  scaling: IScaling;
  /** Name of its instance type. */
  instance_type: string;
  /** Its status. */
  status: string;
  /** Why, in words; may be "". */
  reason: string;
  /** Instances that are ready. */
  ready: number;
  /** Instances that there should be now. */
  wanted: number;
  /** Requests being worked on. */
  in_flight: number;
  /** Requests that wait. */
  queued: number;
  /** Requests answered since the cloud started. */
  requests: number;
  /** Those of them answered with 5xx. */
  errors: number;
}

/** A deployment as it is now: what lists, cards and the sidebar show. */
export interface IDeployment {
  /** Its name. */
  name: string;
  /** Status word of the wire. */
  status: string;
  /** Why, in words ("building the image", "instance exited with code 3: ..."); may be "". */
  reason: string;
  /** True when a request sent now would be answered (a scaled-to-zero one is healthy). */
  healthy: boolean;
  /** Online Service or On-Demand Function. */
  mode: 'online' | 'on-demand';
  /** Base URL of its endpoints; None while it has none. */
  url: string | null;
  /** What it can be asked; empty where the cloud does not say. */
  endpoints: IEndpoint[];
  /** Tag of the Bento it runs. */
  bento: string;
  /** Callers need a token. */
  protected: boolean;
  /** Instances that are ready. */
  ready: number;
  /** Instances that there should be now. */
  wanted: number;
  /** Its limits. */
  scaling: IScaling;
  /** Name of its instance type. */
  instance_type: string;
  /** Environment variables it was given (names only; values are never sent to faces). */
  envs: string[];
  /** Its labels. */
  labels: [string, string][];
  /** Requests being worked on. */
  in_flight: number;
  /** Requests that wait. */
  queued: number;
  /** Requests answered since it was created or the cloud started. */
  requests: number;
  /** Those of them answered with 5xx. */
  errors: number;
  /** The newest cold start. */
  last_cold_start: IColdStart | null;
  /** Its image. */
  image: IImage | null;
  /** Its instances, newest last. */
  instances: IInstance[];
  /** Its replica sets: one per service of the main version, the entry service first, then those of the canaries. */
  sets: IReplicaSet[];
  /** Number of the active revision, from 1. */
  revision: number;
  /** When it was created. */
  created_at: number;
  /** When it was changed last by a user. */
  updated_at: number | null;
  /** Who created it. */
  creator: string;
  /** The notebook that deployed it, or `user@host`; "" when it does not say. */
  owner: string;
  /** When it ends by itself; None = never. */
  expires_at: number | null;
  /** When a request came last, since the cloud started; None = none came. */
  last_request_at: number | null;
  /** Id of the newest event included in this view. */
  event_id: number;
}

/** Some deployments as they are now, to be put over an earlier `Overview`. */
export interface IChanges {
  /** Those that were asked for and are there. */
  deployments: IDeployment[];
  /** Those that are no more. */
  gone: string[];
}

/** A process that the embedded cloud keeps warm to fork instances. */
export interface IZygote {
  /** Its process id. */
  pid: number;
  /** Key of its environment. */
  environment: string;
  /** How many modules it has imported on behalf of Bentos. */
  modules: number;
  /** Its resident memory. */
  memory_bytes: number;
  /** Instances it has forked. */
  forks: number;
  /** Who may need it: `<deployment>/<replica set>`. */
  users: string[];
}

/** A machine that instances run on. */
export interface INode {
  /** Its name. */
  name: string;
  /** CPUs that it has for instances. */
  cpus: number;
  /** Memory that it has for them. */
  memory_bytes: number;
  /** GPUs that it has. */
  gpus: number;
  /** Those of them that no instance has. */
  free_gpus: number;
  /** Ids of the instances on it. */
  instances: string[];
}

/** The embedded cloud as a whole. */
export interface ICloud {
  /** Base URL. */
  endpoint: string;
  /** Process id of the control plane. */
  pid: number;
  /** Version of bento_jupyter that runs it. */
  version: string;
  /** When. */
  started_at: number;
  /** Number of deployments that are not terminated. */
  deployments: number;
  /** Number of instances that are up. */
  instances: number;
  /** Id of the newest event. */
  event_id: number;
  /** The processes that are kept warm to fork instances. */
  zygotes: IZygote[];
  /** What runs instances: `processes` of this machine, or the nodes of a `ray` cluster. */
  engine: string;
  /** The machines that they run on. */
  nodes: INode[];
}

/** What a deployment was asked to be, to take elsewhere; values of variables are not in it. */
export interface IConfiguration {
  /** For `bentoml deployment create -f`. */
  yaml: string;
  /** The line that deploys it from a notebook. */
  magic: string;
}

/** A cloud that the `bentoml` client is logged in to. */
export interface IContext {
  /** What it is called. */
  name: string;
  /** Base URL of its control plane. */
  endpoint: string;
  /** Whether `bentoml` commands use it. */
  current: boolean;
  /** Whether it is the embedded cloud of this machine. */
  embedded: boolean;
}

/** How a cloud is that the `bentoml` client is logged in to. */
export interface IContextState {
  /** Name of the context. */
  name: string;
  /** How it is. */
  state: 'ready' | 'refused' | 'unreachable';
  /** Who one is logged in as; else why it is so. */
  message: string;
}

/** How the clouds are that the `bentoml` client is logged in to. */
export interface IContextStates {
  items: IContextState[];
}

/** The clouds that the `bentoml` client is logged in to. */
export interface IContexts {
  items: IContext[];
}

/** What would be different. */
export interface IDifference {
  /** Where, in the words of the wire. */
  field: string;
  /** What it is. */
  before: string;
  /** What it would be. */
  after: string;
}

/** It was done, and there is nothing to tell. */
export type IDone = Record<string, never>;

/** Something that changed in the cloud; the change feed is a sequence of these. */
export interface IEvent {
  /** Grows by one with each event; never reused, also over restarts. */
  id: number;
  /** When. */
  at: number;
  /** What changed: `deployment` (created, changed state, instances or counters), `deployment-deleted`, `bento`, `cloud`. */
  kind: string;
  /** Of which deployment or Bento; "" for the cloud. */
  name: string;
  /** In words, one line; "" when nothing but counters has changed. */
  message: string;
  /** Why the deployment is in its state, in words. */
  reason: string;
  /** Which revision of the deployment it is about; None for other kinds. */
  revision: number | null;
}

/** What happened to a deployment, newest first. */
export interface IEvents {
  events: IEvent[];
}

/** What is wrong with a field. */
export interface IFieldProblem {
  /** Its name. */
  field: string;
  /** In words. */
  message: string;
}

/** The Deploy dialog as it opens. */
export interface IForm {
  /** The deployment that is updated; "" = a new one. */
  name: string;
  schema: unknown;
  /** Their values; of variables the names only, each without a value. */
  data: unknown;
}

/** Something on the cloud's disk that nobody needs. */
export interface IGarbageItem {
  /** `blob`, `bento` or `model` (unpacked), `upload`, `environment`, `image` (OCI) or `log`. */
  kind: string;
  /** Its digest, tag or key. */
  name: string;
  /** Its size; blocks that it shares with others are counted, too. */
  bytes: number;
}

/** What a look for garbage has found. */
export interface IGarbage {
  /** Each piece. */
  items: IGarbageItem[];
  /** Their size together. */
  bytes: number;
  /** Whether they are gone; False = they would go. */
  deleted: boolean;
}

/** What changed since the last hint; fits `events/deployments.v1.yaml`. */
export interface IHint {
  /** Name of the cloud; "" for the embedded one. */
  context: string;
  /** The deployments that changed. */
  names: string[];
  /** True when the cloud itself came, went or changed. */
  cloud: boolean;
  /** Id of the newest event in this hint; 0 when there is none. */
  event_id: number;
}

/** The environments that Bentos run in, newest first. */
export interface IImages {
  images: IImage[];
}

/** A cold start of one instance. */
export interface IInstanceColdStart {
  at: number;
  seconds: number;
  phases: [string, number][];
  /** Its id. */
  instance: string;
}

/** A size of instance that a cloud offers. */
export interface IInstanceType {
  /** Its name, for `--instance-type`. */
  name: string;
  /** In words. */
  description: string;
  /** CPUs, e.g. 0.5. */
  cpu: number;
  /** Memory. */
  memory_bytes: number;
  /** Number of GPUs. */
  gpu: number;
  /** As the cloud says it; "" when it costs nothing. */
  price: string;
}

/** Sizes of instances that the cloud offers. */
export interface IInstanceTypes {
  items: IInstanceType[];
}

/** The instances of a deployment, newest last. */
export interface IInstances {
  instances: IInstance[];
}

/** Something that a deployment can be asked. */
export interface IInterfaceEndpoint {
  /** Name of the endpoint. */
  name: string;
  /** Path below the deployment's URL that it is asked at. */
  route: string;
  /** A JSON body that it takes; "" where it takes files. */
  example: string;
  /** The parts of the form that it takes; none where it takes JSON. */
  parts: IAskedPart[];
}

/** What a deployment can be asked. */
export interface IInterface {
  endpoints: IInterfaceEndpoint[];
}

/** Something that takes its time. */
export interface IJob {
  /** To ask for it again. */
  id: string;
  /** How far it is. */
  state: 'running' | 'done' | 'failed';
  /** What it does at the moment; at its end why it failed. */
  message: string;
  /** What to do about that. */
  hint: string;
}

/** One line of a log. */
export interface ILogLine {
  /** When it was written (None where the source does not say). */
  at: number | null;
  /** Instance id, or `image`. */
  source: string;
  /** The line, without its end. */
  text: string;
}

/** The last lines that a deployment wrote, oldest first. */
export interface ILogTail {
  lines: ILogLine[];
}

/** What happened in one second, or one minute. */
export interface IMetricsPoint {
  /** Its beginning. */
  at: number;
  /** Requests answered in it. */
  requests: number;
  /** Those of them answered with 5xx. */
  errors: number;
  /** The most requests that were worked on at a time. */
  in_flight: number;
  /** The most that waited. */
  queued: number;
  /** The most instances that were ready. */
  ready: number;
  /** Seconds within which 50, 95 and 99 % of its requests were answered, queue and cold start included: `{"p50": 0.01, ...}`; empty without requests. */
  latency: [string, number][];
}

/** How a deployment has met its requests. */
export interface IMetrics {
  /** Requests answered since it was created or the cloud started. */
  requests: number;
  /** Those of them answered with 5xx. */
  errors: number;
  /** Requests being worked on now. */
  in_flight: number;
  /** Requests that wait now. */
  queued: number;
  /** Instances that are ready now. */
  ready: number;
  /** Quantiles over all those requests, see `MetricsPoint`. */
  latency: [string, number][];
  /** The newest, oldest first. */
  cold_starts: IInstanceColdStart[];
  /** Seconds that each point stands for. */
  step: number;
  /** The points, oldest first. Seconds or minutes in which nothing happened are left out: what a point says of `in_flight`, `queued` and `ready` holds until the next one. */
  points: IMetricsPoint[];
}

/** Everything the list shows. */
export interface IOverview {
  /** The cloud that was asked about; "" = the embedded one. */
  context: string;
  /** How it is; only the embedded one is ever `stopped`. */
  state: 'running' | 'stopped' | 'unreachable' | 'refused';
  /** Why it is not running, in words; "" when it runs. */
  message: string;
  /** The cloud; None unless it runs, and where it does not tell, as BentoCloud. */
  cloud: ICloud | null;
  /** Its deployments. */
  deployments: IDeployment[];
  /** Id of the newest event included. */
  event_id: number;
}

/** A Bento or a model in the cloud's registry. */
export interface IPackage {
  /** `name:version`. */
  tag: string;
  /** SHA-256 (hex) of its archive; "" while it has no content. */
  digest: string;
  /** Size of that archive. */
  size_bytes: number;
  /** pending, uploading, success or failed. */
  status: string;
  /** Why the upload failed; "" otherwise. */
  reason: string;
  /** Deployments that run this Bento, or Bentos that need this model. */
  used_by: string[];
  /** When it was registered. */
  created_at: number;
}

/** Bentos or models of the cloud's registry. */
export interface IPackages {
  items: IPackage[];
}

/** What the dialog would do. */
export interface IPlan {
  /** `create`, `update`, or `nothing`. */
  action: string;
  /** The magic that does the same; "" when there is none. */
  line: string;
  /** What would be different about the deployment. */
  changes: IDifference[];
  /** What has to be mended first. */
  problems: IFieldProblem[];
}

/** Why a deploy was refused. */
export interface IRefusal {
  /** What happened. */
  message: string;
  /** What to do about it. */
  hint: string;
  /** Which fields it is about. */
  problems: IFieldProblem[];
}

/** One field in which a revision differs from the one before it. */
export interface IRevisionChange {
  /** Its path, e.g. `services.Iris.scaling.max_replicas` or `envs.GREETING`. */
  field: string;
  /** added, removed or changed. */
  change: string;
  /** What it was, as JSON; None where that is not shown: values of environment variables never are. */
  before: unknown;
  /** What it is, likewise. */
  after: unknown;
}

/** What a deployment was asked to be at one time. */
export interface IRevision {
  /** From 1. */
  number: number;
  /** It is what the deployment should be now. */
  active: boolean;
  /** Tag of its Bento. */
  bento: string;
  /** Why it was made, in words; "" for a plain change. */
  note: string;
  /** When it was made. */
  created_at: number;
  /** What differs from the revision before; empty for the first. */
  changes: IRevisionChange[];
}

/** What a deployment was asked to be, newest first. */
export interface IRevisions {
  revisions: IRevision[];
}

/** Names of the cloud's secrets, and nothing of what is in them. */
export interface ISecretNames {
  items: string[];
}

/** How much a deployment was asked lately. */
export interface ITrafficItem {
  /** The deployment. */
  name: string;
  /** Requests per second, over the last half minute. */
  rate: number;
  /** Requests in each part of the last quarter of an hour, oldest first. */
  points: number[];
}

/** The traffic of some deployments. */
export interface ITraffic {
  items: ITrafficItem[];
}

/** What is to be different about a deployment; what is absent stays as it is. */
export interface IChange {
  /** Another mode; `min` and `concurrency` that were meant for the old one go. */
  mode?: 'online' | 'on-demand';
  /** Fewest instances. */
  min?: number;
  /** Most instances. */
  max?: number;
  /** Requests that an instance works on at a time; 0 = no limit. */
  concurrency?: number;
  /** Tag of another Bento. */
  bento?: string;
}

/** To what an earlier revision asked for. */
export interface IRollback {
  /** Its number. */
  revision: number;
}

/** A deployment as the dialog says it. */
export interface IWanted {
  /** Name of the deployment that is to be like that; "" = a new one. */
  update?: string;
  /** Values of the dialog's fields; what is absent is as by default. A variable without a value keeps the one that it has. */
  fields: Record<string, unknown>;
  /** Path of the notebook that deploys; "" = none. */
  owner?: string;
}

/** Where a Bento is to be sent. */
export interface IPush {
  /** Name of a context, or `embedded`. */
  cloud: string;
}

/** Where the project of a Bento is to be written. */
export interface IExport {
  /** A new folder, as the file browser names it: below Jupyter's root. */
  folder: string;
}

/** A cloud to log in to. */
export interface ILogin {
  /** Base URL of its control plane. */
  endpoint: string;
  /** Name to keep it under; "" = the endpoint's host. */
  context?: string;
  /** API token; goes to the endpoint and into the `bentoml` client's file, and is never told again. */
  token: string;
}

/** What is to run the instances of the embedded cloud, from its start on. */
export interface IStart {
  /** Processes of this machine, containers on it, or the nodes of a Ray cluster. */
  engine: 'processes' | 'containers' | 'ray';
  /** URL of the cluster's dashboard. */
  ray_address?: string;
  /** The cluster's token, kept in the cloud's home and never told again; "" = it wants none. */
  ray_token?: string;
  /** TLS between this machine and the nodes. */
  ray_tls?: boolean;
}

/** Reads an `IAskedPart`. */
export const readAskedPart: Reader<IAskedPart> = object<IAskedPart>({
  name: text,
  file: flag,
  many: flag,
  example: text
});

/** Reads an `IProofNote`. */
export const readProofNote: Reader<IProofNote> = object<IProofNote>({
  equal: flag,
  line: text,
  at: time,
  built_at: optional(time)
});

/** Reads an `IBento`. */
export const readBento: Reader<IBento> = object<IBento>({
  tag: text,
  digest: text,
  size_bytes: number,
  status: text,
  reason: text,
  used_by: list(text),
  created_at: time,
  in_cloud: flag,
  in_store: flag,
  proof: optional(readProofNote)
});

/** Reads an `IBentos`. */
export const readBentos: Reader<IBentos> = object<IBentos>({
  items: list(readBento)
});

/** Reads an `IEndpoint`. */
export const readEndpoint: Reader<IEndpoint> = object<IEndpoint>({
  name: text,
  route: text,
  example: text
});

/** Reads an `IScaling`. */
export const readScaling: Reader<IScaling> = object<IScaling>({
  min: number,
  max: number,
  concurrency: optional(number),
  idle_seconds: optional(number),
  scale_up_seconds: number
});

/** Reads an `IColdStart`. */
export const readColdStart: Reader<IColdStart> = object<IColdStart>({
  at: time,
  seconds: number,
  phases: entries(number)
});

/** Reads an `IImage`. */
export const readImage: Reader<IImage> = object<IImage>({
  key: text,
  kind: text,
  status: text,
  reason: text,
  seconds: optional(number),
  cached: flag,
  size_bytes: optional(number),
  at: optional(time),
  used_by: list(text),
  digest: text,
  reference: text,
  builder: text,
  log: text
});

/** Reads an `IInstance`. */
export const readInstance: Reader<IInstance> = object<IInstance>({
  id: text,
  state: text,
  reason: text,
  started_at: time,
  pid: optional(number),
  memory_bytes: optional(number),
  in_flight: number,
  cold_start: optional(readColdStart),
  version: text,
  service: text,
  cpu: optional(number),
  restarts: number,
  age_seconds: number
});

/** Reads an `IReplicaSet`. */
export const readReplicaSet: Reader<IReplicaSet> = object<IReplicaSet>({
  version: text,
  service: text,
  bento: text,
  weight: optional(number),
  scaling: readScaling,
  instance_type: text,
  status: text,
  reason: text,
  ready: number,
  wanted: number,
  in_flight: number,
  queued: number,
  requests: number,
  errors: number
});

/** Reads an `IDeployment`. */
export const readDeployment: Reader<IDeployment> = object<IDeployment>({
  name: text,
  status: text,
  reason: text,
  healthy: flag,
  mode: word('online', 'on-demand'),
  url: optional(text),
  endpoints: list(readEndpoint),
  bento: text,
  protected: flag,
  ready: number,
  wanted: number,
  scaling: readScaling,
  instance_type: text,
  envs: list(text),
  labels: entries(text),
  in_flight: number,
  queued: number,
  requests: number,
  errors: number,
  last_cold_start: optional(readColdStart),
  image: optional(readImage),
  instances: list(readInstance),
  sets: list(readReplicaSet),
  revision: number,
  created_at: time,
  updated_at: optional(time),
  creator: text,
  owner: text,
  expires_at: optional(time),
  last_request_at: optional(time),
  event_id: number
});

/** Reads an `IChanges`. */
export const readChanges: Reader<IChanges> = object<IChanges>({
  deployments: list(readDeployment),
  gone: list(text)
});

/** Reads an `IZygote`. */
export const readZygote: Reader<IZygote> = object<IZygote>({
  pid: number,
  environment: text,
  modules: number,
  memory_bytes: number,
  forks: number,
  users: list(text)
});

/** Reads an `INode`. */
export const readNode: Reader<INode> = object<INode>({
  name: text,
  cpus: number,
  memory_bytes: number,
  gpus: number,
  free_gpus: number,
  instances: list(text)
});

/** Reads an `ICloud`. */
export const readCloud: Reader<ICloud> = object<ICloud>({
  endpoint: text,
  pid: number,
  version: text,
  started_at: time,
  deployments: number,
  instances: number,
  event_id: number,
  zygotes: list(readZygote),
  engine: text,
  nodes: list(readNode)
});

/** Reads an `IConfiguration`. */
export const readConfiguration: Reader<IConfiguration> = object<IConfiguration>(
  { yaml: text, magic: text }
);

/** Reads an `IContext`. */
export const readContext: Reader<IContext> = object<IContext>({
  name: text,
  endpoint: text,
  current: flag,
  embedded: flag
});

/** Reads an `IContextState`. */
export const readContextState: Reader<IContextState> = object<IContextState>({
  name: text,
  state: word('ready', 'refused', 'unreachable'),
  message: text
});

/** Reads an `IContextStates`. */
export const readContextStates: Reader<IContextStates> = object<IContextStates>(
  { items: list(readContextState) }
);

/** Reads an `IContexts`. */
export const readContexts: Reader<IContexts> = object<IContexts>({
  items: list(readContext)
});

/** Reads an `IDifference`. */
export const readDifference: Reader<IDifference> = object<IDifference>({
  field: text,
  before: text,
  after: text
});

/** Reads an `IDone`. */
export const readDone: Reader<IDone> = object<IDone>({});

/** Reads an `IEvent`. */
export const readEvent: Reader<IEvent> = object<IEvent>({
  id: number,
  at: time,
  kind: text,
  name: text,
  message: text,
  reason: text,
  revision: optional(number)
});

/** Reads an `IEvents`. */
export const readEvents: Reader<IEvents> = object<IEvents>({
  events: list(readEvent)
});

/** Reads an `IFieldProblem`. */
export const readFieldProblem: Reader<IFieldProblem> = object<IFieldProblem>({
  field: text,
  message: text
});

/** Reads an `IForm`. */
export const readForm: Reader<IForm> = object<IForm>({
  name: text,
  schema: anything,
  data: anything
});

/** Reads an `IGarbageItem`. */
export const readGarbageItem: Reader<IGarbageItem> = object<IGarbageItem>({
  kind: text,
  name: text,
  bytes: number
});

/** Reads an `IGarbage`. */
export const readGarbage: Reader<IGarbage> = object<IGarbage>({
  items: list(readGarbageItem),
  bytes: number,
  deleted: flag
});

/** Reads an `IHint`. */
export const readHint: Reader<IHint> = object<IHint>({
  context: text,
  names: list(text),
  cloud: flag,
  event_id: number
});

/** Reads an `IImages`. */
export const readImages: Reader<IImages> = object<IImages>({
  images: list(readImage)
});

/** Reads an `IInstanceColdStart`. */
export const readInstanceColdStart: Reader<IInstanceColdStart> =
  object<IInstanceColdStart>({
    at: time,
    seconds: number,
    phases: entries(number),
    instance: text
  });

/** Reads an `IInstanceType`. */
export const readInstanceType: Reader<IInstanceType> = object<IInstanceType>({
  name: text,
  description: text,
  cpu: number,
  memory_bytes: number,
  gpu: number,
  price: text
});

/** Reads an `IInstanceTypes`. */
export const readInstanceTypes: Reader<IInstanceTypes> = object<IInstanceTypes>(
  { items: list(readInstanceType) }
);

/** Reads an `IInstances`. */
export const readInstances: Reader<IInstances> = object<IInstances>({
  instances: list(readInstance)
});

/** Reads an `IInterfaceEndpoint`. */
export const readInterfaceEndpoint: Reader<IInterfaceEndpoint> =
  object<IInterfaceEndpoint>({
    name: text,
    route: text,
    example: text,
    parts: list(readAskedPart)
  });

/** Reads an `IInterface`. */
export const readInterface: Reader<IInterface> = object<IInterface>({
  endpoints: list(readInterfaceEndpoint)
});

/** Reads an `IJob`. */
export const readJob: Reader<IJob> = object<IJob>({
  id: text,
  state: word('running', 'done', 'failed'),
  message: text,
  hint: text
});

/** Reads an `ILogLine`. */
export const readLogLine: Reader<ILogLine> = object<ILogLine>({
  at: optional(time),
  source: text,
  text: text
});

/** Reads an `ILogTail`. */
export const readLogTail: Reader<ILogTail> = object<ILogTail>({
  lines: list(readLogLine)
});

/** Reads an `IMetricsPoint`. */
export const readMetricsPoint: Reader<IMetricsPoint> = object<IMetricsPoint>({
  at: time,
  requests: number,
  errors: number,
  in_flight: number,
  queued: number,
  ready: number,
  latency: entries(number)
});

/** Reads an `IMetrics`. */
export const readMetrics: Reader<IMetrics> = object<IMetrics>({
  requests: number,
  errors: number,
  in_flight: number,
  queued: number,
  ready: number,
  latency: entries(number),
  cold_starts: list(readInstanceColdStart),
  step: number,
  points: list(readMetricsPoint)
});

/** Reads an `IOverview`. */
export const readOverview: Reader<IOverview> = object<IOverview>({
  context: text,
  state: word('running', 'stopped', 'unreachable', 'refused'),
  message: text,
  cloud: optional(readCloud),
  deployments: list(readDeployment),
  event_id: number
});

/** Reads an `IPackage`. */
export const readPackage: Reader<IPackage> = object<IPackage>({
  tag: text,
  digest: text,
  size_bytes: number,
  status: text,
  reason: text,
  used_by: list(text),
  created_at: time
});

/** Reads an `IPackages`. */
export const readPackages: Reader<IPackages> = object<IPackages>({
  items: list(readPackage)
});

/** Reads an `IPlan`. */
export const readPlan: Reader<IPlan> = object<IPlan>({
  action: text,
  line: text,
  changes: list(readDifference),
  problems: list(readFieldProblem)
});

/** Reads an `IRefusal`. */
export const readRefusal: Reader<IRefusal> = object<IRefusal>({
  message: text,
  hint: text,
  problems: list(readFieldProblem)
});

/** Reads an `IRevisionChange`. */
export const readRevisionChange: Reader<IRevisionChange> =
  object<IRevisionChange>({
    field: text,
    change: text,
    before: anything,
    after: anything
  });

/** Reads an `IRevision`. */
export const readRevision: Reader<IRevision> = object<IRevision>({
  number: number,
  active: flag,
  bento: text,
  note: text,
  created_at: time,
  changes: list(readRevisionChange)
});

/** Reads an `IRevisions`. */
export const readRevisions: Reader<IRevisions> = object<IRevisions>({
  revisions: list(readRevision)
});

/** Reads an `ISecretNames`. */
export const readSecretNames: Reader<ISecretNames> = object<ISecretNames>({
  items: list(text)
});

/** Reads an `ITrafficItem`. */
export const readTrafficItem: Reader<ITrafficItem> = object<ITrafficItem>({
  name: text,
  rate: number,
  points: list(number)
});

/** Reads an `ITraffic`. */
export const readTraffic: Reader<ITraffic> = object<ITraffic>({
  items: list(readTrafficItem)
});
