import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';

import { BentoApi } from '../api';
import { DeploymentsModel, EVENT_SCHEMA_ID } from '../model';
import type { IHint } from '../payloads';
import { BentoSettings, SETTINGS_ID } from '../settings';
import { IBentoDeployments, IBentoSettings } from '../tokens';

/** Knows the settings. */
export const settingsPlugin: JupyterFrontEndPlugin<IBentoSettings> = {
  id: 'bento-jupyter:settings',
  description: 'Provides the settings of the extension.',
  autoStart: true,
  provides: IBentoSettings,
  optional: [ISettingRegistry],
  activate: (
    _: JupyterFrontEnd,
    registry: ISettingRegistry | null
  ): IBentoSettings => {
    const settings = new BentoSettings();
    registry?.load(SETTINGS_ID).then(
      loaded => settings.take(loaded),
      (reason: unknown) => {
        console.warn('bento-jupyter: defaults are used for settings', reason);
      }
    );
    return settings;
  }
};

/** Under which key the cloud that is shown is kept, for the next page. */
const SHOWN = 'bento-jupyter:cloud';

/** Knows the deployments. Only what JupyterLab and Notebook 7 both have is required here and elsewhere. */
export const modelPlugin: JupyterFrontEndPlugin<IBentoDeployments> = {
  id: 'bento-jupyter:plugin',
  description:
    'Provides the deployments of the cloud that is shown, as the server extension tells them.',
  autoStart: true,
  provides: IBentoDeployments,
  requires: [IBentoSettings],
  optional: [IStateDB],
  activate: (
    app: JupyterFrontEnd,
    settings: IBentoSettings,
    state: IStateDB | null
  ): IBentoDeployments => {
    const { events, serverSettings } = app.serviceManager;
    const model: DeploymentsModel = new DeploymentsModel({
      api: new BentoApi(serverSettings, () => model.cloud)
    });
    void keepCloud(model, state);
    events.stream.connect((_, event) => {
      if (event.schema_id === EVENT_SCHEMA_ID) {
        const { cloud, context, names } = event as unknown as Partial<IHint>;
        model.hint({ cloud, context, names });
      }
    }, model);
    const apply = (): void => {
      model.pollSeconds = settings.pollSeconds;
    };
    settings.changed.connect(apply, model);
    apply();
    return model;
  }
};

/** Show the cloud again that the last page showed, and remember the one that is shown. */
async function keepCloud(
  model: DeploymentsModel,
  state: IStateDB | null
): Promise<void> {
  const kept = await state?.fetch(SHOWN).catch(() => undefined);
  if (typeof kept === 'string') {
    model.cloud = kept;
  }
  let known = model.cloud;
  model.stateChanged.connect(() => {
    if (model.cloud !== known) {
      known = model.cloud;
      void state?.save(SHOWN, known);
    }
  });
}
