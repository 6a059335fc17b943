import { MainAreaWidget } from '@jupyterlab/apputils';
import type { ITranslator } from '@jupyterlab/translation';
import {
  CommandToolbarButton,
  ReactWidget,
  Toolbar
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import React from 'react';

import { CommandIDs } from '../commandids';
import { bentoIcon } from '../icons';
import { Details } from './Details';
import { DetailsModel } from './model';

/** The commands of its toolbar, in order; null is a space. */
const TOOLS = [
  CommandIDs.copyUrl,
  CommandIDs.openPages,
  CommandIDs.insertCall,
  null,
  CommandIDs.scale,
  CommandIDs.switchMode,
  CommandIDs.restart,
  CommandIDs.start,
  CommandIDs.terminate,
  CommandIDs.remove
];

/** The details of a deployment in the main area. */
export class DetailsWidget extends MainAreaWidget {
  constructor(options: DetailsWidget.IOptions) {
    const content = new DetailsContent(options);
    super({ content, translator: options.translator });
    const { commands, model } = options;
    const trans = options.translator.load('bento_jupyter');
    this.addClass('jp-BentoDetailsWidget');
    const { cloud, name } = model;
    this.id = `bento-jupyter-details-${encodeURIComponent(cloud)}:${name}`;
    this.title.label = cloud ? trans.__('%1 in %2', name, cloud) : name;
    this.title.caption = trans.__('Deployment %1', this.title.label);
    this.title.icon = bentoIcon;
    this.title.closable = true;
    for (const id of TOOLS) {
      this.toolbar.addItem(
        id ?? 'spacer',
        id === null
          ? Toolbar.createSpacerItem()
          : new CommandToolbarButton({
              commands,
              id,
              args: { cloud, name, toolbar: true },
              label: ''
            })
      );
    }
    this.model = model;
  }

  /** What is shown. */
  readonly model: DetailsModel;
}

class DetailsContent extends ReactWidget {
  constructor(options: DetailsWidget.IOptions) {
    super();
    this._options = options;
    this.addClass('jp-BentoDetails');
    options.model.stateChanged.connect(() => this.update(), this);
  }

  override dispose(): void {
    this._unfollow();
    this._options.model.dispose();
    super.dispose();
  }

  protected override render(): React.JSX.Element {
    const { commands, model, translator } = this._options;
    return (
      <Details
        model={model}
        onChange={() =>
          void commands.execute(CommandIDs.update, {
            cloud: model.cloud,
            name: model.name
          })
        }
        onRollback={revision =>
          void commands.execute(CommandIDs.rollback, {
            cloud: model.cloud,
            name: model.name,
            revision
          })
        }
        trans={translator.load('bento_jupyter')}
      />
    );
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._follow();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._follow();
  }

  protected override onAfterHide(message: Message): void {
    this._unfollow();
    super.onAfterHide(message);
  }

  protected override onBeforeDetach(message: Message): void {
    this._unfollow();
    super.onBeforeDetach(message);
  }

  private _follow(): void {
    if (this.isVisible) {
      this._watch ??= this._options.model.deployments.watch();
      this._options.model.watched = true;
    }
  }

  private _unfollow(): void {
    this._watch?.dispose();
    this._watch = null;
    this._options.model.watched = false;
  }

  private _options: DetailsWidget.IOptions;
  private _watch: IDisposable | null = null;
}

/** The namespace for `DetailsWidget` statics. */
export namespace DetailsWidget {
  /** Options of a widget. */
  export interface IOptions {
    /** Where the commands of `CommandIDs` are. */
    commands: CommandRegistry;

    /** What is shown; disposed with the widget. */
    model: DetailsModel;

    translator: ITranslator;
  }
}
