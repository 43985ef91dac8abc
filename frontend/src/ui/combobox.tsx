import { Combobox as Base } from '@base-ui/react/combobox'
import { ChevronsUpDown } from 'lucide-react'
import { cn } from '@/lib/cn'
import { CONTROL, useFieldProps } from './field'
import { ITEM, type Option, POPUP } from './select'

type ComboboxProps = {
  value: string | null
  onChange: (value: string | null) => void
  options: readonly Option[]
  placeholder?: string
  /** Said when nothing fits what was typed. */
  empty: string
  label?: string
  className?: string
}

/** One of many: type to narrow, arrows and Enter to choose. */
export function Combobox(props: ComboboxProps) {
  const field = useFieldProps()
  const chosen = props.options.find((option) => option.value === props.value) ?? null
  return (
    <Base.Root
      items={props.options as Option[]}
      value={chosen}
      onValueChange={(option) => props.onChange(option?.value ?? null)}
      isItemEqualToValue={(one, other) => one.value === other.value}
    >
      <div className="relative">
        <Base.Input
          {...field}
          aria-label={props.label}
          placeholder={props.placeholder}
          className={cn(CONTROL, 'h-9 pr-8 max-md:h-11', props.className)}
        />
        <ChevronsUpDown
          aria-hidden
          className="pointer-events-none absolute top-2.5 right-2 size-4 text-muted max-md:top-3.5"
        />
      </div>
      <Base.Portal>
        <Base.Positioner sideOffset={4} className="z-50 outline-none">
          <Base.Popup className={POPUP}>
            <Base.Empty className="px-2 text-muted text-sm not-empty:py-2">{props.empty}</Base.Empty>
            <Base.List className="max-h-72 overflow-y-auto">
              {(option: Option) => (
                <Base.Item key={option.value} value={option} className={ITEM}>
                  {option.label}
                </Base.Item>
              )}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
