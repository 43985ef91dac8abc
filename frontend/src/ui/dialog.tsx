import { AlertDialog } from '@base-ui/react/alert-dialog'
import { Dialog as Base } from '@base-ui/react/dialog'
import { useLingui } from '@lingui/react/macro'
import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { cn } from '@/lib/cn'
import { Button } from './button'

type DialogProps = {
  open: boolean
  onClose: () => void
  title: ReactNode
  description?: ReactNode
  children?: ReactNode
  /** The buttons at the bottom. */
  footer?: ReactNode
  wide?: boolean
}

const BACKDROP =
  'fixed inset-0 z-40 bg-black/40 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0'

export function Dialog(props: DialogProps) {
  return (
    <Base.Root open={props.open} onOpenChange={(open) => !open && props.onClose()}>
      <Base.Portal>
        <Base.Backdrop className={BACKDROP} />
        <Base.Popup
          className={cn(
            'fixed top-1/2 left-1/2 z-40 flex max-h-[90dvh] w-[min(30rem,calc(100vw-1.5rem))] -translate-x-1/2 -translate-y-1/2 flex-col rounded-xl border border-line bg-surface shadow-float outline-none transition-[opacity,scale] data-ending-style:scale-97 data-starting-style:scale-97 data-ending-style:opacity-0 data-starting-style:opacity-0',
            props.wide && 'w-[min(52rem,calc(100vw-1.5rem))]',
          )}
        >
          <Heading title={props.title} description={props.description} />
          <div className="min-h-0 overflow-y-auto px-5 pb-5">{props.children}</div>
          {props.footer && (
            <div className="flex flex-wrap justify-end gap-2 border-line border-t px-5 py-3">
              {props.footer}
            </div>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

/** A sheet from the right edge (from below on a phone): what belongs to the page and does not replace it. */
export function Drawer(props: DialogProps) {
  return (
    <Base.Root open={props.open} onOpenChange={(open) => !open && props.onClose()}>
      <Base.Portal>
        <Base.Backdrop className={cn(BACKDROP, 'bg-black/25')} />
        <Base.Popup className="fixed z-40 flex flex-col border-line bg-surface shadow-float outline-none transition-[translate] max-md:inset-x-0 max-md:bottom-0 max-md:max-h-[92dvh] max-md:rounded-t-2xl max-md:border-t md:inset-y-0 md:right-0 md:w-[min(30rem,92vw)] md:border-l max-md:data-ending-style:translate-y-full max-md:data-starting-style:translate-y-full md:data-ending-style:translate-x-full md:data-starting-style:translate-x-full">
          <Heading title={props.title} description={props.description} />
          <div className="min-h-0 flex-1 overflow-y-auto px-5 pb-5">{props.children}</div>
          {props.footer && (
            <div className="flex flex-wrap justify-end gap-2 border-line border-t px-5 py-3">
              {props.footer}
            </div>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

function Heading({ title, description }: { title: ReactNode; description?: ReactNode }) {
  const { t } = useLingui()
  return (
    <div className="flex items-start gap-3 px-5 pt-4 pb-3">
      <div className="min-w-0 flex-1">
        <Base.Title className="font-semibold text-lg leading-tight">{title}</Base.Title>
        {description && (
          <Base.Description className="mt-1 text-muted text-sm">{description}</Base.Description>
        )}
      </div>
      {/* Without a tooltip: it would open with the focus and take the first Escape for itself. */}
      <Base.Close
        aria-label={t`Cerrar`}
        className="-mt-1 -mr-2 grid size-8 shrink-0 place-items-center rounded-md text-muted hover:bg-sunken hover:text-ink max-md:size-11"
      >
        <X aria-hidden className="size-4.5" />
      </Base.Close>
    </div>
  )
}

type ConfirmProps = {
  open: boolean
  onClose: () => void
  onConfirm: () => void
  title: ReactNode
  /** What will happen, in a sentence. */
  children: ReactNode
  confirm: ReactNode
  busy?: boolean
  danger?: boolean
}

/** Asks once more before something that cannot be taken back. */
export function Confirm(props: ConfirmProps) {
  const { t } = useLingui()
  return (
    <AlertDialog.Root open={props.open} onOpenChange={(open) => !open && props.onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={BACKDROP} />
        <AlertDialog.Popup className="fixed top-1/2 left-1/2 z-40 w-[min(26rem,calc(100vw-1.5rem))] -translate-x-1/2 -translate-y-1/2 rounded-xl border border-line bg-surface p-5 shadow-float outline-none">
          <AlertDialog.Title className="font-semibold text-lg leading-tight">{props.title}</AlertDialog.Title>
          <AlertDialog.Description render={<div />} className="mt-2 text-muted text-sm">
            {props.children}
          </AlertDialog.Description>
          <div className="mt-5 flex justify-end gap-2">
            <AlertDialog.Close render={<Button />}>{t`Cancelar`}</AlertDialog.Close>
            <Button look={props.danger ? 'danger' : 'primary'} busy={props.busy} onClick={props.onConfirm}>
              {props.confirm}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
