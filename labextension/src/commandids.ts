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

  /** Start the embedded cloud; asks what is to run its instances. */
  export const startCloudOn = 'bento-jupyter:start-cloud-on';

  /** Stop the embedded cloud, after a confirmation. */
  export const stopCloud = 'bento-jupyter:stop-cloud';

  /** Delete what the cloud keeps and nobody needs, after a confirmation. */
  export const collectGarbage = 'bento-jupyter:collect-garbage';

  /** Send the Bento `{tag}` to the cloud `{cloud}`; asks for what is absent. */
  export const pushBento = 'bento-jupyter:push-bento';

  /** Write the project of the Bento `{tag}` into a folder. */
  export const exportBento = 'bento-jupyter:export-bento';

  /** Copy the tag of a Bento or a model. */
  export const copyTag = 'bento-jupyter:copy-tag';

  /** Delete a Bento or a model of the registry, after a confirmation. */
  export const deletePackage = 'bento-jupyter:delete-package';

  /** Log in to another cloud. */
  export const logIn = 'bento-jupyter:log-in';

  /** Log out of the cloud `{name}`, after a confirmation. */
  export const logOut = 'bento-jupyter:log-out';

  /** Make a cloud the one that plain `bentoml` commands use. */
  export const useCloud = 'bento-jupyter:use-cloud';

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
