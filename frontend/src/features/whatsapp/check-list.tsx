import { useLingui } from '@lingui/react/macro'
import { CircleCheck, CircleHelp, CircleX } from 'lucide-react'
import type { CheckList, WhatsappSchemasCheck } from '@/api'
import { cn } from '@/lib/cn'
import { DateTime } from '@/ui/date-time'
import { CHECKS } from './words'

/** What was found out about a channel, one line a question, with what to do. */
export function Checks({ list }: { list: CheckList }) {
  const { t } = useLingui()
  return (
    <ul aria-label={t`Comprobación`} className="flex flex-col gap-2.5">
      {list.checks.map((check) => (
        <CheckRow key={check.check} check={check} />
      ))}
    </ul>
  )
}

function CheckRow({ check }: { check: WhatsappSchemasCheck }) {
  const { t, i18n } = useLingui()
  const { name, remedy } = CHECKS[check.check]
  const looks = {
    true: { Icon: CircleCheck, word: t`Bien`, colour: 'text-accent' },
    false: { Icon: CircleX, word: t`Mal`, colour: 'text-danger' },
    null: { Icon: CircleHelp, word: t`Sin saber`, colour: 'text-muted' },
  }
  const { Icon, word, colour } = looks[`${check.ok}`]
  return (
    <li className="flex gap-2.5 text-sm">
      <Icon role="img" aria-label={word} className={cn('mt-0.5 size-4.5 shrink-0', colour)} />
      <div className="min-w-0">
        <p className={cn(check.ok === false && 'font-medium')}>{i18n._(name)}</p>
        {check.ok && <Found check={check} />}
        {check.ok === false && check.detail && (
          <p className="font-mono text-danger text-xs [overflow-wrap:anywhere]">{check.detail}</p>
        )}
        {!check.ok && check.remedy && <p className="text-muted text-xs">{i18n._(remedy)}</p>}
      </div>
    </li>
  )
}

function Found({ check }: { check: WhatsappSchemasCheck }) {
  const { t } = useLingui()
  if (!check.detail) return null
  return (
    <p className="text-muted text-xs [overflow-wrap:anywhere]">
      {check.check === 'webhook' ? (
        <>
          {t`El último:`} <DateTime at={check.detail} look="relative" />
        </>
      ) : (
        check.detail
      )}
    </p>
  )
}
