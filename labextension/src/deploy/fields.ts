import type { TranslationBundle } from '@jupyterlab/translation';
import type { RJSFSchema } from '@rjsf/utils';

/** The schema of the form with titles and what fields mean, in the user's language. */
export function decorated(
  schema: RJSFSchema,
  trans: TranslationBundle
): RJSFSchema {
  const words = wordsOf(trans);
  const properties: NonNullable<RJSFSchema['properties']> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const [title, help] = words[name] ?? [name, ''];
    properties[name] = {
      ...(name === 'envs' || typeof property !== 'object'
        ? { type: 'string' }
        : name === 'mode'
          ? { type: 'string', oneOf: modesOf(property, trans) }
          : name === 'image'
            ? { type: 'string', oneOf: imagesOf(property, trans) }
            : property),
      title,
      ...(help ? { 'x-help': help } : {})
    };
  }
  return { ...schema, properties };
}

/** The modes, each with what choosing it means. */
function modesOf(
  { enum: modes }: RJSFSchema,
  trans: TranslationBundle
): RJSFSchema[] {
  return (modes ?? []).map(mode => ({
    const: mode,
    title:
      mode === 'online'
        ? trans.__('Online Service: at least one instance is always up')
        : trans.__('On-Demand Function: starts when requests come')
  }));
}

/** The kinds of images that one may ask for. */
function imagesOf(
  { enum: images }: RJSFSchema,
  trans: TranslationBundle
): RJSFSchema[] {
  return (images ?? []).map(image => ({
    const: image,
    title: trans.__('An OCI image: instances run in containers')
  }));
}

/** Title and meaning of each field. */
function wordsOf(trans: TranslationBundle): Record<string, [string, string]> {
  return {
    name: [trans.__('Name'), trans.__('Small letters, digits and “-”.')],
    bento: [trans.__('Bento'), ''],
    mode: [trans.__('Mode'), ''],
    min: [trans.__('Fewest instances'), ''],
    max: [trans.__('Most instances'), ''],
    concurrency: [
      trans.__('Requests per instance at a time'),
      trans.__('Empty: no limit online, 8 on demand.')
    ],
    instance_type: [trans.__('Instance type'), ''],
    envs: [
      trans.__('Environment variables'),
      trans.__('NAME=VALUE, one per line. A NAME alone keeps its value.')
    ],
    secrets: [trans.__('Secrets'), ''],
    protected: [trans.__('Protected: callers need a token'), ''],
    idle_seconds: [
      trans.__('Seconds without need until an instance stops'),
      ''
    ],
    timeout: [trans.__('Seconds that a request may take'), ''],
    cold_start_timeout: [
      trans.__('Seconds that a request waits for an instance'),
      ''
    ],
    queue: [trans.__('Requests that may wait'), ''],
    strategy: [trans.__('Rollout strategy'), ''],
    image: [trans.__('Image'), trans.__('Empty: as the Bento needs.')]
  };
}
