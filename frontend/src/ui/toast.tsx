import { Toast as Base } from '@base-ui/react/toast'
import { useLingui } from '@lingui/react/macro'
import { CircleAlert, CircleCheck, Info, X } from 'lucide-react'
import { cn } from '@/lib/cn'

type Kind = 'success' | 'error' | 'info'
type ToastOptions = { detail?: string; action?: { label: string; run: () => void } }

const manager = Base.createToastManager()

/** Tell what became of something, at the top right, where it covers nothing that is pressed next. */
export const toast = {
  success: (title: string, options?: ToastOptions) => add('success', title, options),
  error: (title: string, options?: ToastOptions) => add('error', title, options),
  info: (title: string, options?: ToastOptions) => add('info', title, options),
}

function add(type: Kind, title: string, options: ToastOptions = {}): void {
  manager.add({
    type,
    title,
    description: options.detail,
    priority: type === 'error' ? 'high' : 'low',
    timeout: type === 'error' ? 10_000 : 5000,
    actionProps: options.action && { children: options.action.label, onClick: options.action.run },
  })
}

export function Toasts() {
  return (
    <Base.Provider toastManager={manager} limit={4}>
      <Base.Portal>
        <Base.Viewport className="fixed top-3 right-3 z-60 flex w-[min(24rem,calc(100vw-1.5rem))] flex-col gap-2">
          <List />
        </Base.Viewport>
      </Base.Portal>
    </Base.Provider>
  )
}

const ICONS = { success: CircleCheck, error: CircleAlert, info: Info }
const COLOURS = { success: 'text-accent', error: 'text-danger', info: 'text-info' }

function List() {
  const { t } = useLingui()
  const { toasts } = Base.useToastManager()
  return toasts.map((one) => {
    const kind = (one.type ?? 'info') as Kind
    const Icon = ICONS[kind]
    return (
      <Base.Root
        key={one.id}
        toast={one}
        className="rounded-lg border border-line bg-raised text-ink shadow-float transition-[opacity,translate] data-ending-style:translate-x-4 data-starting-style:-translate-y-2 data-ending-style:opacity-0 data-starting-style:opacity-0"
      >
        <Base.Content className="flex items-start gap-2.5 p-3">
          <Icon aria-hidden className={cn('mt-0.5 size-4.5 shrink-0', COLOURS[kind])} />
          <div className="min-w-0 flex-1">
            <Base.Title className="font-medium text-sm" />
            <Base.Description className="text-muted text-xs" />
          </div>
          {one.actionProps && (
            <Base.Action className="shrink-0 font-semibold text-accent text-sm hover:underline" />
          )}
          <Base.Close
            aria-label={t`Cerrar`}
            className="grid size-7 shrink-0 place-items-center rounded text-muted hover:bg-sunken"
          >
            <X aria-hidden className="size-4" />
          </Base.Close>
        </Base.Content>
      </Base.Root>
    )
  })
}
