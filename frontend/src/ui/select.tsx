import { Select as Base } from '@base-ui/react/select'
import { Check, ChevronsUpDown } from 'lucide-react'
import { cn } from '@/lib/cn'
import { CONTROL, useFieldProps } from './field'

export type Option<Value extends string = string> = { value: Value; label: string; disabled?: boolean }

type SelectProps<Value extends string> = {
  value: Value | null
  onChange: (value: Value) => void
  options: readonly Option<Value>[]
  placeholder?: string
  /** Its name where it stands outside a `Field`. */
  label?: string
  disabled?: boolean
  className?: string
}

export function Select<Value extends string>(props: SelectProps<Value>) {
  const field = useFieldProps()
  return (
    <Base.Root
      items={props.options as Option<Value>[]}
      value={props.value}
      onValueChange={(value) => value !== null && props.onChange(value)}
      disabled={props.disabled}
    >
      <Base.Trigger
        {...field}
        aria-label={props.label}
        className={cn(
          CONTROL,
          'flex h-9 items-center justify-between gap-2 text-left max-md:h-11',
          props.className,
        )}
      >
        <Base.Value className="truncate data-placeholder:text-muted" placeholder={props.placeholder} />
        <Base.Icon>
          <ChevronsUpDown aria-hidden className="size-4 text-muted" />
        </Base.Icon>
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-50 outline-none">
          <Base.Popup className={POPUP}>
            <Base.List className="max-h-(--available-height) overflow-y-auto">
              {props.options.map((option) => (
                <Base.Item
                  key={option.value}
                  value={option.value}
                  disabled={option.disabled}
                  className={ITEM}
                >
                  <Base.ItemText className="flex-1">{option.label}</Base.ItemText>
                  <Base.ItemIndicator>
                    <Check aria-hidden className="size-4 text-accent" />
                  </Base.ItemIndicator>
                </Base.Item>
              ))}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

/** What a menu, a select and a combobox look like when they are open. */
export const POPUP =
  'min-w-(--anchor-width) max-w-(--available-width) rounded-lg border border-line bg-raised p-1 text-ink shadow-float outline-none'
export const ITEM =
  'flex min-h-8 cursor-default select-none items-center gap-2 rounded-md px-2 py-1 text-[0.87rem] outline-none data-highlighted:bg-accent-soft data-disabled:opacity-50 max-md:min-h-11 [&_svg]:size-4'
