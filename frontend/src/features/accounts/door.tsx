import { useLingui } from '@lingui/react/macro'
import type { ReactNode } from 'react'
import { changePreferences, LOCALES, type Locale } from '@/lib/preferences'
import { Awning } from '@/ui/awning'
import { Logo } from '@/ui/logo'

const NAMES: Record<Locale, string> = { es: 'Español', en: 'English', 'pt-BR': 'Português' }

/** The page before the counter: an awning, a card, and the languages. */
export function Door({ title, children }: { title: ReactNode; children: ReactNode }) {
  const { t, i18n } = useLingui()
  return (
    <main className="flex min-h-dvh flex-col items-center bg-canvas">
      <Awning className="h-24 w-full shrink-0 drop-shadow-md md:h-32" />
      <div className="flex w-full max-w-md flex-1 flex-col justify-center px-5 py-8">
        <div className="mb-5 flex items-center gap-3">
          <span className="grid size-12 place-items-center rounded-xl bg-rail">
            <Logo className="size-8" />
          </span>
          <div>
            <p className="font-semibold text-xl leading-tight tracking-tight">Mostrador</p>
            <p className="text-muted text-sm">{t`Tu negocio atiende por WhatsApp`}</p>
          </div>
        </div>
        <div className="rounded-2xl border border-line bg-surface p-6 shadow-float">
          <h1 className="mb-4 font-semibold text-lg">{title}</h1>
          {children}
        </div>
        <div className="mt-5 flex justify-center gap-1">
          {LOCALES.map((locale) => (
            <button
              key={locale}
              type="button"
              lang={locale}
              aria-pressed={i18n.locale === locale}
              onClick={() => changePreferences({ language: locale })}
              className="h-8 rounded-md px-2.5 text-muted text-sm hover:bg-sunken aria-pressed:font-semibold aria-pressed:text-ink"
            >
              {NAMES[locale]}
            </button>
          ))}
        </div>
      </div>
      <div aria-hidden className="h-3 w-full bg-rail-mark" />
    </main>
  )
}
