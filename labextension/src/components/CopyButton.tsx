import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, copyIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

/** Properties of a copy button. */
export interface ICopyButtonProps {
  /** What the button is called, e.g. "Copy URL". */
  label: string;

  /** What is copied. */
  text: string;

  trans: TranslationBundle;
}

/** A small button that copies a text and says that it did. */
export function CopyButton(props: ICopyButtonProps): React.JSX.Element {
  const { label, text, trans } = props;
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) {
      return;
    }
    const timer = window.setTimeout(() => setCopied(false), 1500);
    return () => window.clearTimeout(timer);
  }, [copied]);
  const Icon = copied ? checkIcon.react : copyIcon.react;
  return (
    <button
      type="button"
      className="jp-BentoIconButton"
      title={copied ? trans.__('Copied') : label}
      aria-label={copied ? trans.__('Copied') : label}
      onClick={() => {
        Clipboard.copyToSystem(text);
        setCopied(true);
      }}
    >
      <Icon tag="span" elementSize="small" />
    </button>
  );
}
