import { Switch as Base } from '@base-ui/react/switch'
import { type ReactNode, useId } from 'react'

type SwitchProps = {
  checked: boolean
  onChange: (on: boolean) => void
  label: ReactNode
  hint?: ReactNode
  disabled?: boolean
  /** Its name is for those who hear it: what it switches stands beside it already. */
  bare?: boolean
}

export function Switch({ checked, onChange, label, hint, disabled, bare }: SwitchProps) {
  const id = useId()
  return (
    <div className="flex items-start justify-between gap-4 py-1">
      <div className={bare ? 'sr-only' : 'min-w-0'}>
        <span id={id} className="block text-[0.9rem]">
          {label}
        </span>
        {hint && <p className="text-muted text-xs">{hint}</p>}
      </div>
      <Base.Root
        checked={checked}
        onCheckedChange={onChange}
        disabled={disabled}
        aria-labelledby={id}
        className="relative mt-0.5 inline-flex h-6 w-10 shrink-0 items-center rounded-full border border-line-strong bg-sunken p-0.5 transition-colors data-checked:border-accent data-checked:bg-accent data-disabled:opacity-50"
      >
        <Base.Thumb className="size-4.5 rounded-full bg-line-strong transition-transform data-checked:translate-x-4 data-checked:bg-on-accent" />
      </Base.Root>
    </div>
  )
}
