import { Tabs as Base } from '@base-ui/react/tabs'
import type { ReactNode } from 'react'

type Tab<Id extends string> = { id: Id; label: ReactNode; content: ReactNode }
type TabsProps<Id extends string> = {
  tabs: readonly Tab<Id>[]
  value: Id
  onChange: (id: Id) => void
  label: string
}

export function Tabs<Id extends string>({ tabs, value, onChange, label }: TabsProps<Id>) {
  return (
    <Base.Root value={value} onValueChange={(id) => onChange(id as Id)} className="flex min-h-0 flex-col">
      <Base.List aria-label={label} className="flex gap-1 overflow-x-auto border-line border-b">
        {tabs.map((tab) => (
          <Base.Tab
            key={tab.id}
            value={tab.id}
            className="-mb-px h-9 shrink-0 border-transparent border-b-2 px-3 text-[0.87rem] text-muted hover:text-ink data-active:border-accent data-active:font-semibold data-active:text-ink max-md:h-11"
          >
            {tab.label}
          </Base.Tab>
        ))}
      </Base.List>
      {tabs.map((tab) => (
        <Base.Panel key={tab.id} value={tab.id} className="min-h-0 flex-1 pt-4 outline-none">
          {tab.content}
        </Base.Panel>
      ))}
    </Base.Root>
  )
}
