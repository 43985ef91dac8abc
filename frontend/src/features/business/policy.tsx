import { useLingui } from '@lingui/react/macro'
import { useId } from 'react'
import type { BusinessProfile } from '@/api'
import { Section } from '@/ui/page'
import type { PartProps } from './part'
import { POLICIES } from './words'

type AnswerPolicy = BusinessProfile['answer_policy']

/** Who may be answered by the assistant. */
export function Policy({ profile, change }: PartProps) {
  const { t, i18n } = useLingui()
  const name = useId()
  return (
    <Section title={t`A quién responde`}>
      <div role="radiogroup" aria-label={t`A quién responde`} className="grid gap-2 sm:grid-cols-3">
        {(Object.keys(POLICIES) as AnswerPolicy[]).map((policy) => (
          <label
            key={policy}
            className="flex cursor-pointer items-start gap-2.5 rounded-lg border border-line p-3 hover:border-line-strong has-checked:border-accent has-checked:bg-accent-soft has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name={name}
              className="mt-0.5 size-4 accent-(--accent)"
              checked={profile.answer_policy === policy}
              onChange={() => change({ answer_policy: policy })}
            />
            <span className="min-w-0">
              <span className="block font-medium text-sm">{i18n._(POLICIES[policy].name)}</span>
              <span className="block text-muted text-xs">{i18n._(POLICIES[policy].hint)}</span>
            </span>
          </label>
        ))}
      </div>
    </Section>
  )
}
