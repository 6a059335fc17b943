/** The commands of this extension. */
export namespace CommandIDs {
  /** Show the panel. */
  export const showPanel = 'bento-jupyter:show-panel';

  /** Ask the server again. */
  export const refresh = 'bento-jupyter:refresh';

  /** Start the embedded cloud. */
  export const startCloud = 'bento-jupyter:start-cloud';

  /** Stop the embedded cloud, after a confirmation. */
  export const stopCloud = 'bento-jupyter:stop-cloud';

  /** Start a terminated deployment: `{name}`, or asks which. */
  export const start = 'bento-jupyter:start';

  /** Terminate a deployment, after a confirmation: `{name}`, or asks which. */
  export const terminate = 'bento-jupyter:terminate';
}
