import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { type Fault, simulatorSetFaults } from '@/api'
import { simulatorFaultsOptions } from '@/api/@tanstack/react-query.gen'
import { messageOf } from '@/session/messages'
import { Badge } from '@/ui/badge'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Section } from '@/ui/page'
import { Select } from '@/ui/select'
import { toast } from '@/ui/toast'
import { CODES, FAULTS, type FaultKind, GROUPS, type Times, timesOf, withFault } from './fault-menu'

const NONE: readonly Fault[] = []

/** What goes wrong now, and the menu to choose it from. */
export function Faults() {
  const { t, i18n } = useLingui()
  const [isOpen, setOpen] = useState(false)
  const { faults, set } = useFaults()
  return (
    <Section
      title={t`Fallos`}
      description={t`Haz que WhatsApp falle y mira que nada se pierde ni se repite.`}
      actions={
        <Button size="sm" onClick={() => setOpen(true)}>
          <TriangleAlert aria-hidden />
          {t`Elegir fallos`}
        </Button>
      }
    >
      {faults.length > 0 && (
        <div className="flex flex-wrap items-center gap-1.5">
          {faults.map((fault) => (
            <Badge key={fault.kind} tone="warn">
              {i18n._(FAULTS[fault.kind].name)}
              {fault.count != null && ` ×${fault.count}`}
            </Badge>
          ))}
          <Button look="quiet" size="sm" onClick={() => set(NONE)}>
            {t`Quitar todos`}
          </Button>
        </div>
      )}
      {isOpen && <Menu onClose={() => setOpen(false)} />}
    </Section>
  )
}

function useFaults() {
  const { i18n } = useLingui()
  const queries = useQueryClient()
  const options = simulatorFaultsOptions()
  // Each one that strikes is used up, so what is left is looked at again.
  const { data } = useSuspenseQuery({ ...options, refetchInterval: 5000 })
  const save = useMutation({
    mutationFn: async (faults: readonly Fault[]) =>
      (await simulatorSetFaults({ body: { faults: [...faults] } })).data,
    onSuccess: (stored) => queries.setQueryData(options.queryKey, stored),
    onError: (error) => toast.error(i18n._(messageOf(error))),
  })
  return { faults: data.faults, set: save.mutate }
}

function Menu({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useLingui()
  const { faults, set } = useFaults()
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={t`Qué falla`}
      description={t`Rige para todos los clientes del simulador, desde ahora.`}
      footer={
        <>
          <Button onClick={() => set(NONE)} disabled={faults.length === 0}>
            {t`Quitar todos`}
          </Button>
          <Button look="primary" onClick={onClose}>
            {t`Listo`}
          </Button>
        </>
      }
    >
      {Object.entries(GROUPS).map(([group, name]) => (
        <section key={group} className="not-first:mt-4">
          <h3 className="border-line border-b pb-1 font-semibold text-sm">{i18n._(name)}</h3>
          <ul>
            {KINDS.filter((kind) => FAULTS[kind].group === group).map((kind) => (
              <FaultRow
                key={kind}
                kind={kind}
                fault={faults.find((one) => one.kind === kind)}
                onChange={(times, code) => set(withFault(faults, kind, times, code))}
              />
            ))}
          </ul>
        </section>
      ))}
    </Dialog>
  )
}

const KINDS = Object.keys(FAULTS) as FaultKind[]

type FaultRowProps = {
  kind: FaultKind
  fault: Fault | undefined
  onChange: (times: Times, code?: number) => void
}

function FaultRow({ kind, fault, onChange }: FaultRowProps) {
  const { t, i18n } = useLingui()
  const entry = FAULTS[kind]
  const name = i18n._(entry.name)
  const times = timesOf(fault)
  const often = [
    { value: '0', label: t`Nunca` },
    { value: '1', label: t`Una vez` },
    { value: '3', label: t`Tres veces` },
    { value: 'always', label: t`Siempre` },
  ]
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 py-2">
      <div className="min-w-40 flex-1">
        <p className="text-sm">{name}</p>
        <p className="text-muted text-xs">{i18n._(entry.hint)}</p>
      </div>
      {entry.code !== undefined && times !== 0 && (
        <Select
          label={t`Código de ${name}`}
          className="w-64"
          value={String(fault?.code ?? entry.code)}
          options={Object.entries(CODES).map(([code, meaning]) => ({ value: code, label: i18n._(meaning) }))}
          onChange={(code) => onChange(times, Number(code))}
        />
      )}
      <Select
        label={t`${name}: cuántas veces`}
        className="w-32"
        value={times === null ? 'always' : String(times)}
        options={often}
        onChange={(value) =>
          onChange(value === 'always' ? null : (Number(value) as Times), fault?.code ?? undefined)
        }
      />
    </li>
  )
}
