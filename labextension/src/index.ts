import { commandsPlugin } from './plugins/commands';
import { detailsPlugin } from './plugins/details';
import { launcherPlugin } from './plugins/launcher';
import { leavingPlugin } from './plugins/leaving';
import { modelPlugin, settingsPlugin } from './plugins/model';
import { notificationsPlugin } from './plugins/notifications';
import { panelPlugin } from './plugins/panel';
import { runningPlugin } from './plugins/running';
import { statusPlugin } from './plugins/status';

export { IBentoDeployments, IBentoSettings } from './tokens';

export default [
  settingsPlugin,
  modelPlugin,
  commandsPlugin,
  panelPlugin,
  detailsPlugin,
  runningPlugin,
  statusPlugin,
  notificationsPlugin,
  leavingPlugin,
  launcherPlugin
];
