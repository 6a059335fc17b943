/**
 * The commands of this extension. Those about a deployment take `{name}`; with
 * `{current: true}` they are about the one that the sidebar is at, and without
 * either they ask which.
 */
export namespace CommandIDs {
  /** Show the panel. */
  export const showPanel = 'bento-jupyter:show-panel';

  /** Ask the server again. */
  export const refresh = 'bento-jupyter:refresh';

  /** Ask for a deployment and deploy it; of `{bento}`, if given. */
  export const deploy = 'bento-jupyter:deploy';

  /** Start the embedded cloud. */
  export const startCloud = 'bento-jupyter:start-cloud';

  /** Stop the embedded cloud, after a confirmation. */
  export const stopCloud = 'bento-jupyter:stop-cloud';

  /** Delete what the cloud keeps and nobody needs, after a confirmation. */
  export const collectGarbage = 'bento-jupyter:collect-garbage';

  /** Open the details of a deployment, at `{tab}` if given. */
  export const openDetails = 'bento-jupyter:open-details';

  /** Copy the URL of a deployment. */
  export const copyUrl = 'bento-jupyter:copy-url';

  /** Copy a shell command that calls a deployment. */
  export const copyCurl = 'bento-jupyter:copy-curl';

  /** Copy a Python program that calls a deployment. */
  export const copyPython = 'bento-jupyter:copy-python';

  /** Insert a cell that calls a deployment into the active notebook. */
  export const insertCall = 'bento-jupyter:insert-call';

  /** Open the pages of a deployment (Swagger). */
  export const openPages = 'bento-jupyter:open-pages';

  /** Change the number of instances of a deployment. */
  export const scale = 'bento-jupyter:scale';

  /** Make an Online Service an On-Demand Function, or the other way round. */
  export const switchMode = 'bento-jupyter:switch-mode';

  /** Change what a deployment was asked to be, in the dialog that deploys. */
  export const update = 'bento-jupyter:update';

  /** Go back to an earlier revision: `{revision}`, or asks which. */
  export const rollback = 'bento-jupyter:roll-back';

  /** Replace all instances of a deployment. */
  export const restart = 'bento-jupyter:restart';

  /** Start a terminated deployment. */
  export const start = 'bento-jupyter:start';

  /** Terminate a deployment, after a confirmation. */
  export const terminate = 'bento-jupyter:terminate';

  /** Delete a deployment, after a confirmation. */
  export const remove = 'bento-jupyter:delete';
}
