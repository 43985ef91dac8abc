import type {
  ApprovedTemplate,
  BodyParameters,
  ButtonParameters,
  HeaderParameters,
  Template,
  TemplateParameter,
} from '@/api'

/** What was typed for a template's parameters, by `keyOf`. A file is the id of an upload. */
export type Values = Readonly<Record<string, string>>

export const keyOf = ({ place, name, button_index, kind }: TemplateParameter): string =>
  [place, button_index ?? '', name ?? kind].join('.')

export const isComplete = (template: ApprovedTemplate, values: Values): boolean =>
  template.parameters.every((parameter) => (values[keyOf(parameter)] ?? '').trim() !== '')

export type TemplateText = { header: string; body: string; footer: string; buttons: string[] }

const FIELDS = { HEADER: 'header', BODY: 'body', FOOTER: 'footer' } as const
type Part = { type?: unknown; text?: unknown; buttons?: unknown }

/** The template as the customer will read it; what is not filled in yet keeps its braces. */
export function preview(template: ApprovedTemplate, values: Values): TemplateText {
  const shown: TemplateText = { header: '', body: '', footer: '', buttons: [] }
  for (const part of parts(template.components)) {
    const field = FIELDS[String(part.type).toUpperCase() as keyof typeof FIELDS]
    if (field && typeof part.text === 'string') shown[field] = fill(part.text, field, values)
    for (const button of parts(part.buttons))
      if (typeof button.text === 'string') shown.buttons.push(button.text)
  }
  return shown
}

const parts = (value: unknown): Part[] =>
  Array.isArray(value) ? value.filter((one): one is Part => typeof one === 'object' && one !== null) : []

const fill = (text: string, place: string, values: Values): string =>
  text.replace(
    /\{\{\s*(\w+)\s*\}\}/g,
    (braces, name: string) => values[`${place}..${name}`]?.trim() || braces,
  )

/** The message that sends the template with what was filled in. */
export function toContent(template: ApprovedTemplate, values: Values): Template {
  const named = template.parameter_format === 'named'
  const at = (place: TemplateParameter['place']) => template.parameters.filter((one) => one.place === place)
  const text = (parameter: TemplateParameter) => ({
    type: 'text' as const,
    text: filledIn(parameter, values),
    ...(named && parameter.name ? { name: parameter.name } : {}),
  })
  const header: HeaderParameters['parameters'] = at('header').map((parameter) => {
    const { kind } = parameter
    if (kind === 'image' || kind === 'video' || kind === 'document') {
      return { type: kind, media_id: filledIn(parameter, values) } as HeaderParameters['parameters'][number]
    }
    return text(parameter)
  })
  const body: BodyParameters['parameters'] = at('body').map(text)
  const buttons: ButtonParameters[] = at('button').map((parameter) => ({
    type: 'button',
    index: parameter.button_index ?? 0,
    parameter:
      parameter.kind === 'coupon_code'
        ? { type: 'coupon_code', coupon_code: filledIn(parameter, values) }
        : { type: 'text', text: filledIn(parameter, values) },
  }))
  const components: NonNullable<Template['components']> = [
    ...(header.length > 0 ? [{ type: 'header' as const, parameters: header }] : []),
    ...(body.length > 0 ? [{ type: 'body' as const, parameters: body }] : []),
    ...buttons,
  ]
  return { type: 'template', name: template.name, language: template.language, components }
}

const filledIn = (parameter: TemplateParameter, values: Values): string =>
  (values[keyOf(parameter)] ?? '').trim()
