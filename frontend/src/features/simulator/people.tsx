import { useLingui } from '@lingui/react/macro'
import { Plus, UserPen } from 'lucide-react'
import type { CustomerView } from '@/api'
import { cn } from '@/lib/cn'
import { phone } from '@/lib/format'
import { Avatar } from '@/ui/avatar'
import { Button, IconButton } from '@/ui/button'
import { plainName } from '@/ui/names'

type PeopleProps = {
  people: readonly CustomerView[]
  chosen: CustomerView
  onChoose: (person: CustomerView) => void
  onAdd: () => void
  onEdit: () => void
}

/** Everybody who has a phone here. */
export function People({ people, chosen, onChoose, onAdd, onEdit }: PeopleProps) {
  const { t } = useLingui()
  return (
    <div className="flex min-h-0 flex-col gap-2">
      <div className="flex items-center justify-between gap-2">
        <h2 className="font-semibold text-sm">{t`Clientes`}</h2>
        <Button size="sm" onClick={onAdd}>
          <Plus aria-hidden />
          {t`Nuevo`}
        </Button>
      </div>
      <ul className="-mx-1 flex min-h-0 flex-col gap-0.5 overflow-y-auto px-1 pb-1">
        {people.map((person) => {
          const isChosen = person.id === chosen.id
          return (
            <li
              key={person.id}
              className={cn('flex items-center rounded-lg pr-1', isChosen && 'bg-accent-soft')}
            >
              <button
                type="button"
                aria-current={isChosen || undefined}
                onClick={() => onChoose(person)}
                className="flex min-w-0 flex-1 items-center gap-2.5 rounded-lg px-2 py-2 text-left max-xl:min-h-11"
              >
                <Avatar name={plainName(person.name)} className="size-8 text-[0.72rem]" />
                <span className="min-w-0">
                  <span className="block truncate font-medium text-sm">{plainName(person.name)}</span>
                  <span className="block truncate text-muted text-xs">
                    {person.phone ? phone(person.phone) : `@${person.username ?? ''}`}
                  </span>
                </span>
              </button>
              {isChosen && (
                <IconButton label={t`Cambiar a ${person.name}`} onClick={onEdit}>
                  <UserPen aria-hidden />
                </IconButton>
              )}
            </li>
          )
        })}
      </ul>
    </div>
  )
}
