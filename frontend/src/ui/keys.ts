import { useEffect, useEffectEvent, useId, useSyncExternalStore } from 'react'
import { preferences } from '@/lib/preferences'

/**
 * `keys` is `mod+k` (Command on a Mac, Control elsewhere), a single `t`, or a sequence `g i`.
 * Those without mod are dead while somebody types, behind a dialog, and where they were switched off (WCAG 2.1.4).
 */
export type Shortcut = { keys: string; label: string; group: string; run: () => void; enabled?: boolean }

const SEQUENCE_MS = 1200
const isMac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent)
const registered = new Map<string, Shortcut>()
const watchers = new Set<() => void>()
let list: readonly Shortcut[] = []
let pending: { key: string; at: number } | null = null

/** Offer a shortcut while this is shown. The last one registered for some keys wins. */
export function useShortcut(shortcut: Shortcut): void {
  const id = useId()
  const run = useEffectEvent(() => shortcut.run())
  const { keys, label, group, enabled = true } = shortcut
  useEffect(() => {
    if (!enabled) return
    registered.set(id, { keys, label, group, run: () => run() })
    changed()
    return () => {
      registered.delete(id)
      changed()
    }
  }, [id, keys, label, group, enabled])
}

/** All that can be pressed now, for the help sheet and the command palette. */
export function useShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => list,
  )
}

function changed(): void {
  list = [...registered.values()]
  for (const watcher of watchers) watcher()
}

/** Listen on the whole page. Returns how to stop. */
export function listenForKeys(): () => void {
  window.addEventListener('keydown', onKey)
  return () => window.removeEventListener('keydown', onKey)
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.repeat) return
  const pressed = pressedKeys(event)
  const bare = !pressed.startsWith('mod+')
  if (bare && (!preferences().shortcuts_enabled || isTyping(event.target) || isDialogOpen())) return
  const sequence = pending && event.timeStamp - pending.at < SEQUENCE_MS ? `${pending.key} ${pressed}` : null
  const found = (sequence && last(sequence)) || last(pressed)
  pending = bare && !found && startsSequence(pressed) ? { key: pressed, at: event.timeStamp } : null
  if (!found) return
  event.preventDefault()
  found.run()
}

export function pressedKeys(event: Pick<KeyboardEvent, 'key' | 'metaKey' | 'ctrlKey' | 'altKey'>): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  const mod = isMac ? event.metaKey : event.ctrlKey
  return `${mod ? 'mod+' : ''}${event.altKey ? 'alt+' : ''}${key}`
}

const last = (keys: string): Shortcut | undefined =>
  [...registered.values()].findLast((one) => one.keys === keys)
const startsSequence = (key: string) => list.some((one) => one.keys.startsWith(`${key} `))
const isDialogOpen = () =>
  document.querySelector('[role="dialog"],[role="alertdialog"],[role="menu"]') !== null

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input:not([type=checkbox]),textarea,select,[role=combobox]'))
  )
}

const NAMES: Record<string, string> = {
  mod: isMac ? '⌘' : 'Ctrl',
  alt: isMac ? '⌥' : 'Alt',
  Enter: '↵',
  Shift: '⇧',
  Escape: 'Esc',
  ArrowUp: '↑',
  ArrowDown: '↓',
}

export function readable(keys: string): string[] {
  return keys
    .split(/[ ]/)
    .flatMap((chord) => chord.split(/\+(?=.)/).map((key) => NAMES[key] ?? key.toUpperCase()))
}
