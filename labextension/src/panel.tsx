import type { ITranslator } from '@jupyterlab/translation';
import {
  CommandToolbarButton,
  PanelWithToolbar,
  ReactWidget,
  SidePanel,
  UseSignal
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import React from 'react';

import { CommandIDs } from './commandids';
import { DeploymentList } from './components/DeploymentList';
import { StatusLine } from './components/StatusLine';
import { bentoIcon } from './icons';
import type { IBentoDeployments } from './tokens';

/**
 * The sidebar: a line about the cloud, and its deployments.
 *
 * #### Notes
 * It shows what the model says and runs commands; it asks and decides nothing.
 * The model is watched only while the panel is to be seen.
 */
export class BentoPanel extends SidePanel {
  constructor(options: BentoPanel.IOptions) {
    super({ translator: options.translator });
    const { commands, model } = options;
    const trans = options.translator.load('bento_jupyter');
    this._model = model;
    this.id = 'bento-jupyter-panel';
    this.addClass('jp-BentoPanel');
    this.title.icon = bentoIcon;
    this.title.caption = trans.__('Bento deployments');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Bento deployments'));

    const line = ReactWidget.create(
      <UseSignal signal={model.stateChanged}>
        {() => <StatusLine model={model} trans={trans} />}
      </UseSignal>
    );
    this.header.addWidget(line);
    this.header.addClass('jp-BentoPanel-header');

    const section = new PanelWithToolbar();
    section.addClass('jp-BentoPanel-section');
    section.title.label = trans.__('Deployments');
    for (const id of [CommandIDs.refresh, CommandIDs.stopCloud]) {
      section.toolbar.addItem(
        id,
        new CommandToolbarButton({ commands, id, label: '' })
      );
    }
    section.addWidget(
      ReactWidget.create(
        <UseSignal signal={model.stateChanged}>
          {() => (
            <DeploymentList
              actions={{
                refresh: () => void commands.execute(CommandIDs.refresh),
                start: name =>
                  void commands.execute(CommandIDs.start, { name }),
                startCloud: () => void commands.execute(CommandIDs.startCloud),
                terminate: name =>
                  void commands.execute(CommandIDs.terminate, { name })
              }}
              model={model}
              trans={trans}
            />
          )}
        </UseSignal>
      )
    );
    this.addWidget(section);
  }

  override dispose(): void {
    this._watch?.dispose();
    this._watch = null;
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._follow();
  }

  protected override onBeforeDetach(message: Message): void {
    this._unfollow();
    super.onBeforeDetach(message);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._follow();
  }

  protected override onAfterHide(message: Message): void {
    this._unfollow();
    super.onAfterHide(message);
  }

  private _follow(): void {
    if (this.isVisible) {
      this._watch ??= this._model.watch();
    }
  }

  private _unfollow(): void {
    this._watch?.dispose();
    this._watch = null;
  }

  private _model: IBentoDeployments;
  private _watch: IDisposable | null = null;
}

/** The namespace for `BentoPanel` statics. */
export namespace BentoPanel {
  /** Options of a panel. */
  export interface IOptions {
    /** Where the commands of `CommandIDs` are. */
    commands: CommandRegistry;

    /** What is shown. */
    model: IBentoDeployments;

    translator: ITranslator;
  }
}
