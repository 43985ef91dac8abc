import { useLingui } from '@lingui/react/macro'
import { useMutation, useSuspenseQuery } from '@tanstack/react-query'
import { Suspense, useMemo, useState } from 'react'
import type { ApprovedTemplate, Conversation, TemplateParameter } from '@/api'
import { channelsTemplatesOptions } from '@/api/@tanstack/react-query.gen'
import { fold } from '@/lib/fold'
import { messageOf } from '@/session/messages'
import { codeOf } from '@/session/problem'
import { Badge } from '@/ui/badge'
import { Bubble } from '@/ui/bubble'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { EmptyState } from '@/ui/empty-state'
import { Pane } from '@/ui/error-pane'
import { Field, Input } from '@/ui/field'
import { MarkedText } from '@/ui/marked-text'
import { Skeleton } from '@/ui/skeleton'
import { useSend } from './outgoing'
import { isComplete, keyOf, preview, toContent, type Values } from './template'
import { upload } from './upload'

type PickerProps = { conversation: Conversation; open: boolean; onClose: () => void }

/** Choose an approved template, fill it in, see it as the customer will, send it. */
export function TemplatePicker({ conversation, open, onClose }: PickerProps) {
  const { t } = useLingui()
  return (
    <Dialog
      open={open}
      onClose={onClose}
      wide
      title={t`Enviar una plantilla`}
      description={t`Lo único que WhatsApp deja enviar con la ventana cerrada.`}
    >
      <Pane resetKey={conversation.channel_id}>
        <Suspense fallback={<Skeleton className="h-48" />}>
          <Choice conversation={conversation} onSent={onClose} />
        </Suspense>
      </Pane>
    </Dialog>
  )
}

function Choice({ conversation, onSent }: { conversation: Conversation; onSent: () => void }) {
  const { t } = useLingui()
  const { data } = useSuspenseQuery({
    ...channelsTemplatesOptions({ path: { channel_id: conversation.channel_id } }),
    retry: (failures, error) => codeOf(error) === null && failures < 2,
  })
  const [wanted, setWanted] = useState('')
  const [chosen, setChosen] = useState<ApprovedTemplate | null>(null)
  const shown = useMemo(
    () => data.items.filter((one) => fold(one.name + preview(one, {}).body).includes(fold(wanted))),
    [data, wanted],
  )
  if (data.items.length === 0) {
    return (
      <EmptyState title={t`Este número no tiene plantillas aprobadas`}>
        {t`Se crean y se aprueban en el administrador de WhatsApp de Meta; después aparecen aquí.`}
      </EmptyState>
    )
  }
  if (chosen)
    return (
      <Fill template={chosen} conversation={conversation} onBack={() => setChosen(null)} onSent={onSent} />
    )
  return (
    <>
      <Input
        aria-label={t`Buscar una plantilla`}
        placeholder={t`Buscar una plantilla`}
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
      />
      <ul className="mt-3 grid gap-2 md:grid-cols-2">
        {shown.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              onClick={() => setChosen(one)}
              className="h-full w-full rounded-lg border border-line bg-raised p-3 text-left hover:border-accent"
            >
              <span className="flex items-center justify-between gap-2">
                <span className="truncate font-semibold text-sm">{one.name}</span>
                <span className="flex gap-1">
                  <Badge>{one.language}</Badge>
                </span>
              </span>
              <span className="mt-1 line-clamp-3 block text-muted text-xs">{preview(one, {}).body}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}

type FillProps = {
  template: ApprovedTemplate
  conversation: Conversation
  onBack: () => void
  onSent: () => void
}

function Fill({ template, conversation, onBack, onSent }: FillProps) {
  const { t } = useLingui()
  const { send } = useSend()
  const [values, setValues] = useState<Values>({})
  const text = preview(template, values)
  const submit = () => {
    send(conversation.id, { content: toContent(template, values) }, text.body)
    onSent()
  }
  return (
    <form
      className="grid gap-5 md:grid-cols-2"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <div className="flex flex-col gap-3">
        <p className="font-semibold">{template.name}</p>
        {template.parameters.length === 0 && (
          <p className="text-muted text-sm">{t`No hay nada que rellenar.`}</p>
        )}
        {template.parameters.map((parameter) => (
          <Parameter
            key={keyOf(parameter)}
            parameter={parameter}
            value={values[keyOf(parameter)] ?? ''}
            onChange={(value) => setValues((now) => ({ ...now, [keyOf(parameter)]: value }))}
          />
        ))}
        <div className="mt-2 flex gap-2">
          <Button onClick={onBack}>{t`Elegir otra`}</Button>
          <Button type="submit" look="primary" disabled={!isComplete(template, values)}>
            {t`Enviar`}
          </Button>
        </div>
      </div>
      <div className="flex flex-col rounded-xl bg-thread p-4">
        <Bubble tone="person" at={new Date().toISOString()}>
          {text.header && <strong className="block">{text.header}</strong>}
          <MarkedText text={text.body} />
          {text.footer && <span className="mt-1 block text-[0.8rem] text-muted">{text.footer}</span>}
          {text.buttons.map((one) => (
            <span
              key={one}
              className="mt-1 block rounded-md border border-line bg-surface/70 px-2 py-1 text-center font-medium text-[0.85rem] text-info"
            >
              {one}
            </span>
          ))}
        </Bubble>
      </div>
    </form>
  )
}

type ParameterProps = { parameter: TemplateParameter; value: string; onChange: (value: string) => void }

function Parameter({ parameter, value, onChange }: ParameterProps) {
  const { t, i18n } = useLingui()
  const bring = useMutation({
    mutationFn: (file: File) => upload(file),
    onSuccess: (file) => onChange(file.media_id),
  })
  const { kind, place, name } = parameter
  if (kind === 'image' || kind === 'video' || kind === 'document') {
    return (
      <Field
        label={t`Archivo de la cabecera`}
        error={bring.error && i18n._(messageOf(bring.error))}
        hint={value ? t`Archivo listo` : undefined}
      >
        <Input
          type="file"
          className="py-1.5"
          onChange={(event) => event.target.files?.[0] && bring.mutate(event.target.files[0])}
        />
      </Field>
    )
  }
  const label = { header: t`Cabecera`, body: t`Texto`, button: t`Botón` }[place]
  return (
    <Field label={name ? `${label}: {{${name}}}` : label}>
      <Input
        required
        maxLength={kind === 'coupon_code' ? 20 : 1024}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  )
}
