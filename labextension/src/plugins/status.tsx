import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import React from 'react';

import { CommandIDs } from '../commandids';
import { StatusItem } from '../components/StatusItem';
import { IBentoDeployments } from '../tokens';

/** How many deployments answer, in the status bar. */
export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'bento-jupyter:status',
  description: 'Shows in the status bar how many deployments answer.',
  autoStart: true,
  requires: [IBentoDeployments],
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IBentoDeployments,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ): void => {
    if (statusBar === null) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('bento_jupyter');
    const item = ReactWidget.create(
      <UseSignal signal={model.stateChanged}>
        {() => (
          <StatusItem
            deployments={model.overview?.deployments ?? []}
            onOpen={() => void app.commands.execute(CommandIDs.showPanel)}
            trans={trans}
          />
        )}
      </UseSignal>
    );
    statusBar.registerStatusItem('bento-jupyter:status', {
      align: 'left',
      rank: 90,
      item,
      isActive: () =>
        model.connection === 'running' &&
        (model.overview?.deployments.length ?? 0) > 0,
      activeStateChanged: model.stateChanged
    });
    // The item tells at any time, so the model is watched from now on.
    void app.restored.then(() => model.watch(false));
  }
};
