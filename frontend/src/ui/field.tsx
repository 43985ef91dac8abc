import { type ComponentProps, createContext, type ReactNode, use, useId } from 'react'
import { cn } from '@/lib/cn'

const FieldIds = createContext<{ id: string; described: string | undefined; invalid: boolean } | null>(null)

/** A labelled control with its hint and its error. The control inside takes its ids from here. */
export function Field(props: {
  label: ReactNode
  hint?: ReactNode
  error?: ReactNode
  children: ReactNode
  className?: string
}) {
  const id = useId()
  const described =
    [props.hint && `${id}-hint`, props.error && `${id}-error`].filter(Boolean).join(' ') || undefined
  return (
    <FieldIds value={{ id, described, invalid: Boolean(props.error) }}>
      <div className={cn('flex min-w-0 flex-col gap-1', props.className)}>
        <label htmlFor={id} className="font-medium text-[0.85rem]">
          {props.label}
        </label>
        {props.children}
        {props.hint && (
          <p id={`${id}-hint`} className="text-muted text-xs">
            {props.hint}
          </p>
        )}
        {props.error && (
          <p id={`${id}-error`} role="alert" className="font-medium text-danger text-xs">
            {props.error}
          </p>
        )}
      </div>
    </FieldIds>
  )
}

/** The ids for a control of its own inside a `Field`. */
export function useFieldProps(): { id?: string; 'aria-describedby'?: string; 'aria-invalid'?: true } {
  const field = use(FieldIds)
  if (!field) return {}
  return { id: field.id, 'aria-describedby': field.described, 'aria-invalid': field.invalid || undefined }
}

export const CONTROL =
  'w-full min-w-0 rounded-md border border-line-strong/60 bg-raised px-2.5 text-ink placeholder:text-muted hover:border-line-strong focus-visible:border-accent focus-visible:outline-1 disabled:cursor-not-allowed disabled:opacity-60 aria-invalid:border-danger'

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input {...useFieldProps()} {...rest} className={cn(CONTROL, 'h-9 max-md:h-11', className)} />
}

export function Textarea({ className, ...rest }: ComponentProps<'textarea'>) {
  return (
    <textarea
      rows={4}
      {...useFieldProps()}
      {...rest}
      className={cn(CONTROL, 'py-2 leading-snug', className)}
    />
  )
}
