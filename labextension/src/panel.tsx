import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import {
  CommandToolbarButton,
  PanelWithToolbar,
  ReactWidget,
  SidePanel,
  UseSignal
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { DisposableSet, IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import { AccordionPanel, Menu } from '@lumino/widgets';
import React from 'react';

import type { PackageKind } from './api';
import { CommandIDs } from './commandids';
import { StatusLine } from './components/StatusLine';
import { bentoIcon } from './icons';
import { CloudsSection } from './inventory/CloudsSection';
import { InventoryModel } from './inventory/model';
import { PackagesSection } from './inventory/PackagesSection';
import { DeploymentsSection } from './listing/DeploymentsSection';
import type { IBento } from './payloads';
import type { IBentoDeployments } from './tokens';

/**
 * The sidebar: a line about the cloud, its deployments, its Bentos and models, and the clouds.
 *
 * #### Notes
 * It shows what the models say and runs commands; it asks and decides nothing.
 * The models are watched only while the panel is to be seen.
 */
export class BentoPanel extends SidePanel {
  constructor(options: BentoPanel.IOptions) {
    super({ translator: options.translator });
    const { model } = options;
    const trans = options.translator.load('bento_jupyter');
    this._options = options;
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
    this._addDeployments(trans);
    this._addPackages(trans);
    this._addClouds(trans);
    const { content } = this;
    if (content instanceof AccordionPanel) {
      content.collapse(1);
      content.collapse(2);
      // What was collapsed before it was ever seen has no size to come back to.
      content.expansionToggled.connect(() => {
        void options.inventory.refresh();
        content.setRelativeSizes(
          content.widgets.map((section, index) =>
            section.isHidden ? 0 : index === 0 ? 2 : 1
          )
        );
      }, this);
    }
  }

  /** Whether rows have one line only. */
  set compact(compact: boolean) {
    this._compact = compact;
    this._deployments?.update();
  }

  override dispose(): void {
    this._unfollow();
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

  private _addDeployments(trans: TranslationBundle): void {
    const { commands, model, showMenu } = this._options;
    const run = (id: string, name: string): void =>
      void commands.execute(id, { name });
    this._deployments = this._addSection(
      trans.__('Deployments'),
      [CommandIDs.deploy, CommandIDs.refresh],
      model.stateChanged,
      () => (
        <DeploymentsSection
          actions={{
            copyUrl: name => run(CommandIDs.copyUrl, name),
            menu: (name, event) => {
              model.current = name;
              showMenu(event.nativeEvent);
            },
            open: name => run(CommandIDs.openDetails, name),
            refresh: () => void commands.execute(CommandIDs.refresh),
            restartCloud: () => void model.restartCloud(),
            startCloud: () => void commands.execute(CommandIDs.startCloud)
          }}
          compact={this._compact}
          model={model}
          onShown={names => {
            this._shown = names;
            if (this._watch !== null) {
              model.show(names);
            }
          }}
          trans={trans}
        />
      )
    );
  }

  private _addPackages(trans: TranslationBundle): void {
    const { inventory } = this._options;
    this._addSection(
      trans.__('Bentos and Models'),
      [],
      inventory.stateChanged,
      () => (
        <PackagesSection
          actions={{
            deploy: bento => void this._deploy(bento),
            menu: (kind, tag, x, y) => this._openMenu(kind, tag, x, y)
          }}
          bentos={inventory.inventory?.bentos ?? []}
          models={inventory.inventory?.models ?? []}
          now={Date.now()}
          problem={inventory.problem}
          trans={trans}
        />
      )
    );
  }

  private _addClouds(trans: TranslationBundle): void {
    const { commands, inventory, model } = this._options;
    this._addSection(trans.__('Clouds'), [], inventory.stateChanged, () => (
      <UseSignal signal={model.stateChanged}>
        {() => {
          const running = model.connection === 'running' && model.cloud === '';
          return (
            <CloudsSection
              actions={{
                logIn: () => void commands.execute(CommandIDs.logIn),
                logOut: name =>
                  void commands.execute(CommandIDs.logOut, { name }),
                show: name => {
                  model.cloud = name;
                },
                use: name =>
                  void commands.execute(CommandIDs.useCloud, { name }),
                free: () => void commands.execute(CommandIDs.collectGarbage),
                start: () => void commands.execute(CommandIDs.startCloud),
                startOn: () => void commands.execute(CommandIDs.startCloudOn),
                stop: () => void commands.execute(CommandIDs.stopCloud)
              }}
              busy={model.pending('cloud') !== null}
              cloud={running ? (model.overview?.cloud ?? null) : null}
              shown={model.cloud}
              connection={model.connection}
              contexts={inventory.inventory?.contexts ?? []}
              deployments={running ? (model.overview?.deployments ?? []) : []}
              images={running ? (inventory.inventory?.images ?? []) : []}
              now={Date.now()}
              states={inventory.states}
              trans={trans}
            />
          );
        }}
      </UseSignal>
    ));
  }

  /** Open the dialog that deploys; what is only in the local store is brought to the cloud before. */
  private async _deploy({ in_cloud, tag }: IBento): Promise<void> {
    const { commands, model } = this._options;
    const { cloud } = model;
    const there =
      in_cloud ||
      (await commands.execute(CommandIDs.pushBento, {
        tag,
        cloud: cloud || 'embedded'
      })) === true;
    if (there) {
      await commands.execute(CommandIDs.deploy, { bento: tag, cloud });
    }
  }

  /** Open the menu of a Bento or a model. */
  private _openMenu(
    kind: PackageKind,
    tag: string,
    x: number,
    y: number
  ): void {
    const menu = new Menu({ commands: this._options.commands });
    const actions =
      kind === 'bentos' ? [CommandIDs.pushBento, CommandIDs.exportBento] : [];
    for (const command of [
      ...actions,
      CommandIDs.copyTag,
      CommandIDs.deletePackage
    ]) {
      menu.addItem({ command, args: { kind, tag } });
    }
    // A command runs after the menu has closed.
    menu.aboutToClose.connect(() => {
      requestAnimationFrame(() => menu.dispose());
    });
    menu.open(x, y);
  }

  private _addSection(
    title: string,
    tools: string[],
    signal: ISignal<unknown, void>,
    content: () => React.JSX.Element
  ): ReactWidget {
    const { commands } = this._options;
    const section = new PanelWithToolbar();
    section.addClass('jp-BentoPanel-section');
    section.title.label = title;
    for (const id of tools) {
      section.toolbar.addItem(
        id,
        new CommandToolbarButton({
          commands,
          id,
          args: { toolbar: true },
          label: ''
        })
      );
    }
    const widget = ReactWidget.create(
      <UseSignal signal={signal}>{content}</UseSignal>
    );
    widget.addClass('jp-BentoPanel-body');
    section.addWidget(widget);
    this.addWidget(section);
    return widget;
  }

  private _follow(): void {
    if (this.isVisible) {
      this._watch ??= DisposableSet.from([
        this._options.model.watch(),
        this._options.inventory.watch()
      ]);
      this._options.model.show(this._shown);
    }
  }

  private _unfollow(): void {
    this._options.model.show([]);
    this._watch?.dispose();
    this._watch = null;
  }

  private _compact = false;
  private _deployments: ReactWidget | null = null;
  private _options: BentoPanel.IOptions;
  private _shown: readonly string[] = [];
  private _watch: IDisposable | null = null;
}

/** The namespace for `BentoPanel` statics. */
export namespace BentoPanel {
  /** Options of a panel. */
  export interface IOptions {
    /** Where the commands of `CommandIDs` are. */
    commands: CommandRegistry;

    /** What the cloud has beside deployments. */
    inventory: InventoryModel;

    /** What is shown. */
    model: IBentoDeployments;

    /** Opens the context menu where an event was. */
    showMenu: (event: MouseEvent) => void;

    translator: ITranslator;
  }
}
