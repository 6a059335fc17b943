import React, { useCallback, useLayoutEffect, useRef, useState } from 'react';

import { offsetsOf, visibleRange } from './range';

/** An item of the tree. */
export interface ITreeItem {
  key: string;
  level: number;
  position: number;
  size: number;

  /** Whether a group is open; undefined for what has nothing below it. */
  expanded?: boolean;

  /** Height in pixels. */
  height: number;
}

/** What an item that is drawn says beside what is seen. */
export interface IDescription {
  /** What it is called when it is read out. */
  label: string;

  /** More attributes of its element, e.g. `data-status`. */
  data?: Record<string, string>;
}

/** Properties of a tree. */
export interface IVirtualTreeProps<T extends ITreeItem> {
  /** Class of its element. */
  className: string;

  /** Key of the item that the keyboard is at; null for none. */
  current: string | null;

  /** Asked of items that are drawn. */
  describe: (item: T) => IDescription;
  items: readonly T[];
  label: string;
  onCurrent: (item: T) => void;

  /** Enter, or a double click. */
  onOpen: (item: T) => void;
  onToggle: (item: T, open: boolean) => void;

  /** What is on the screen has changed. */
  onShown?: (items: readonly T[]) => void;
  render: (item: T) => React.ReactNode;
}

/**
 * A tree of which only what is seen is drawn.
 *
 * #### Notes
 * The tree itself has the focus, and says by `aria-activedescendant` where it
 * is: items come and go while one scrolls.
 */
export function VirtualTree<T extends ITreeItem>(
  props: IVirtualTreeProps<T>
): React.JSX.Element {
  const { current, items, onShown } = props;
  const box = useRef<HTMLDivElement>(null);
  const [scrolled, setScrolled] = useState(0);
  const [height, setHeight] = useState(600);
  const offsets = offsetsOf(items.map(item => item.height));
  const { from, to, top } = visibleRange(offsets, scrolled, height);
  const shown = items.slice(from, to);
  const index = items.findIndex(({ key }) => key === current);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) {
      return;
    }
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    setHeight(element.clientHeight || 600);
    return () => observer.disconnect();
  }, []);

  const keys = shown.map(({ key }) => key).join('\n');
  useLayoutEffect(() => {
    onShown?.(shown);
    // Only who is shown matters, not each new state of theirs.
  }, [keys]);

  const reveal = useCallback((begin: number, end: number): void => {
    const element = box.current;
    if (element === null) {
      return;
    }
    if (begin < element.scrollTop) {
      element.scrollTop = begin;
    } else if (end > element.scrollTop + element.clientHeight) {
      element.scrollTop = end - element.clientHeight;
    }
  }, []);

  const go = (to: number): void => {
    const wanted = Math.max(0, Math.min(items.length - 1, to));
    const item = items[wanted];
    if (item) {
      props.onCurrent(item);
      reveal(offsets[wanted] ?? 0, offsets[wanted + 1] ?? 0);
    }
  };

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const item = items[index];
    const page = Math.max(1, Math.floor(height / (item?.height ?? 40)) - 1);
    if (event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    switch (event.key) {
      case 'ArrowDown':
        go(index + 1);
        break;
      case 'ArrowUp':
        go(index < 0 ? 0 : index - 1);
        break;
      case 'PageDown':
        go(index + page);
        break;
      case 'PageUp':
        go(index - page);
        break;
      case 'Home':
        go(0);
        break;
      case 'End':
        go(items.length - 1);
        break;
      case 'ArrowRight':
        if (item?.expanded === false) {
          props.onToggle(item, true);
        } else if (item?.expanded === true) {
          go(index + 1);
        }
        break;
      case 'ArrowLeft':
        if (item?.expanded === true) {
          props.onToggle(item, false);
        } else if (item && item.level > 1) {
          go(
            index -
              items
                .slice(0, index)
                .reverse()
                .findIndex(({ level }) => level < item.level) -
              1
          );
        }
        break;
      case 'Enter':
      case ' ':
        if (item?.expanded !== undefined) {
          props.onToggle(item, !item.expanded);
        } else if (item) {
          props.onOpen(item);
        }
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={box}
      className={`jp-BentoTree ${props.className}`}
      role="tree"
      tabIndex={0}
      aria-label={props.label}
      aria-activedescendant={index >= 0 ? idOf(props.label, index) : undefined}
      onKeyDown={onKeyDown}
      onFocus={event => {
        if (index < 0 && event.target === box.current) {
          go(from);
        }
      }}
      onScroll={event => setScrolled(event.currentTarget.scrollTop)}
    >
      <div
        className="jp-BentoTree-all"
        role="presentation"
        style={{ height: offsets[items.length] ?? 0 }}
      >
        <div
          className="jp-BentoTree-shown"
          role="presentation"
          style={{ transform: `translateY(${top}px)` }}
        >
          {shown.map((item, place) => {
            const { data, label } = props.describe(item);
            return (
              <div
                key={item.key}
                id={idOf(props.label, from + place)}
                role="treeitem"
                aria-label={label}
                aria-level={item.level}
                aria-posinset={item.position}
                aria-setsize={item.size}
                aria-expanded={item.expanded}
                aria-selected={item.key === current}
                className="jp-BentoTree-item"
                style={{ height: item.height }}
                {...data}
                onMouseDown={() => props.onCurrent(item)}
                onClick={() => {
                  if (item.expanded !== undefined) {
                    props.onToggle(item, !item.expanded);
                  }
                }}
                onDoubleClick={() => {
                  if (item.expanded === undefined) {
                    props.onOpen(item);
                  }
                }}
              >
                {props.render(item)}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function idOf(label: string, index: number): string {
  return `jp-BentoTree-${label.replace(/\W+/g, '-')}-${index}`;
}
