import { useLingui } from '@lingui/react/macro'
import { useQuery } from '@tanstack/react-query'
import { PhoneOff, SlidersHorizontal, Smartphone, UserPlus, Users } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import type { CustomerView, SimulatorView } from '@/api'
import { simulatorPeopleOptions, simulatorStateOptions } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { codeOf } from '@/session/problem'
import { Button, IconButton } from '@/ui/button'
import { Drawer } from '@/ui/dialog'
import { EmptyState } from '@/ui/empty-state'
import { ErrorPane } from '@/ui/error-pane'
import { PageTitle } from '@/ui/page'
import { Skeleton } from '@/ui/skeleton'
import { toast } from '@/ui/toast'
import { Faults } from './faults'
import { newPerson } from './new-person'
import { People } from './people'
import { PersonDialog, useSavePerson } from './person-dialog'
import { Phone } from './phone'
import { Reset } from './reset'
import { Clock, useSimulatedNow } from './simulated-time'
import { TimeMachine } from './time-machine'
import { LastTurn } from './trace'

type SimulatorProps = { personId: string | undefined; onChoose: (personId: string) => void }

/** The phone on the screen: write as a customer, watch what the business does with it. */
export function SimulatorPage(props: SimulatorProps) {
  const { t } = useLingui()
  const title = t`Teléfono`
  return (
    <div className="flex h-full min-h-0 flex-col md:px-7 md:pt-5 md:pb-4">
      <PageTitle title={title} className="max-md:sr-only md:mb-4" />
      <Simulated empty={(state) => <FirstPerson state={state} onReady={props.onChoose} />}>
        {(state, people) => <Desk state={state} people={people} {...props} />}
      </Simulated>
    </div>
  )
}

type SimulatedProps = {
  children: (state: SimulatorView, people: [CustomerView, ...CustomerView[]]) => ReactNode
  /** Shown while nobody has a phone. */
  empty: (state: SimulatorView) => ReactNode
}

/** Loads the simulator; says so where there is none. */
export function Simulated({ children, empty }: SimulatedProps) {
  const { t } = useLingui()
  const state = useQuery(simulatorStateOptions())
  const people = useQuery({ ...simulatorPeopleOptions(), enabled: state.isSuccess })
  if (codeOf(state.error) === 'simulator_off') {
    return (
      <EmptyState
        className="flex-1"
        icon={<PhoneOff aria-hidden />}
        title={t`Este servidor no tiene simulador`}
      >
        {t`Habla con WhatsApp de verdad. Para probar sin riesgo, arranca otro con SIMULATOR=true.`}
      </EmptyState>
    )
  }
  const error = state.error ?? people.error
  if (error) return <ErrorPane error={error} retry={() => void state.refetch()} />
  if (!state.data || !people.data) return <Skeleton className="mx-auto h-full max-w-96 rounded-[2.75rem]" />
  const [first, ...others] = people.data
  return first ? children(state.data, [first, ...others]) : empty(state.data)
}

/** Nobody has a phone yet: one press makes somebody. */
export function FirstPerson({ state, onReady }: { state: SimulatorView; onReady: (id: string) => void }) {
  const { t, i18n } = useLingui()
  const add = useSavePerson((person) => onReady(person.id))
  const number = state.numbers[0]?.display_phone_number ?? ''
  return (
    <EmptyState
      className="flex-1"
      icon={<Smartphone aria-hidden />}
      title={t`Prueba tu asistente como un cliente`}
      action={
        <Button
          look="primary"
          busy={add.isPending}
          onClick={() =>
            add.mutate(newPerson(), { onError: (error) => toast.error(i18n._(messageOf(error))) })
          }
        >
          <UserPlus aria-hidden />
          {t`Crear un cliente`}
        </Button>
      }
    >
      {t`Un teléfono simulado que escribe al +${number}. Nada sale a WhatsApp y no cuesta nada.`}
    </EmptyState>
  )
}

type DeskProps = SimulatorProps & { state: SimulatorView; people: [CustomerView, ...CustomerView[]] }

function Desk({ state, people, personId, onChoose }: DeskProps) {
  const { t } = useLingui()
  const [open, setOpen] = useState<'people' | 'tools' | 'new' | 'edit' | null>(null)
  const person = people.find(({ id }) => id === personId) ?? people[0]
  const now = useSimulatedNow(state)
  const list = (
    <People
      people={people}
      chosen={person}
      onChoose={(one) => {
        onChoose(one.id)
        setOpen(null)
      }}
      onAdd={() => setOpen('new')}
      onEdit={() => setOpen('edit')}
    />
  )
  return (
    <div className="grid min-h-0 flex-1 gap-6 md:grid-cols-[minmax(0,25.5rem)_minmax(18rem,1fr)] xl:grid-cols-[13.5rem_minmax(0,25.5rem)_minmax(18rem,1fr)]">
      <aside aria-label={t`Clientes`} className="flex min-h-0 flex-col max-xl:hidden">
        {list}
      </aside>
      <section aria-label={t`Teléfono de ${person.name}`} className="min-h-0">
        <Phone
          key={person.id}
          fill
          person={person}
          business={state.numbers[0]?.verified_name ?? 'Mostrador'}
          clock={<Clock now={now} />}
          actions={
            <>
              <HeaderButton
                label={t`Cliente: ${person.name}`}
                className="xl:hidden"
                onClick={() => setOpen('people')}
              >
                <Users aria-hidden />
              </HeaderButton>
              <HeaderButton
                label={t`Traza y herramientas`}
                className="md:hidden"
                onClick={() => setOpen('tools')}
              >
                <SlidersHorizontal aria-hidden />
              </HeaderButton>
            </>
          }
        />
      </section>
      <aside aria-label={t`Traza y herramientas`} className="min-h-0 overflow-y-auto max-md:hidden">
        <Tools person={person} now={now} />
      </aside>
      <Drawer open={open === 'people'} onClose={() => setOpen(null)} title={t`Quién escribe`}>
        {list}
      </Drawer>
      <Drawer open={open === 'tools'} onClose={() => setOpen(null)} title={t`Traza y herramientas`}>
        <Tools person={person} now={now} />
      </Drawer>
      {(open === 'new' || open === 'edit') && (
        <PersonDialog
          person={open === 'edit' ? person : null}
          onClose={() => setOpen(null)}
          onSaved={(saved) => onChoose(saved.id)}
        />
      )}
    </div>
  )
}

function Tools({ person, now }: { person: CustomerView; now: () => Date }) {
  return (
    <>
      <LastTurn person={person} />
      <TimeMachine person={person} now={now} />
      <Faults />
      <Reset />
    </>
  )
}

function HeaderButton(props: { label: string; className: string; onClick: () => void; children: ReactNode }) {
  return (
    <IconButton
      label={props.label}
      onClick={props.onClick}
      className={`text-rail-ink hover:bg-rail-active-bg hover:text-rail-active ${props.className}`}
    >
      {props.children}
    </IconButton>
  )
}
