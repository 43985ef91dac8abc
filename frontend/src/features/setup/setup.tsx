import { useLingui } from '@lingui/react/macro'
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { type Setup, setupChange } from '@/api'
import { setupReadOptions } from '@/api/@tanstack/react-query.gen'
import { useLive } from '@/live/live'
import { messageOf } from '@/session/messages'
import { Button } from '@/ui/button'
import { Pane } from '@/ui/error-pane'
import { Page } from '@/ui/page'
import { toast } from '@/ui/toast'
import { StepList } from './step-list'
import { StepPanel } from './step-panel'
import { after, nextStep, type StepName, withSkipped } from './steps'

const LOOK_AGAIN_MS = 5000 // what is done elsewhere ticks by itself

type SetupProps = { step: StepName | undefined; onStep: (step: StepName) => void; onLeave: () => void }

/** The first start, step by step. What is done is found in the installation; one may leave and go on later. */
export function SetupPage(props: SetupProps) {
  const { t } = useLingui()
  return (
    <Page
      wide
      title={t`Primeros pasos`}
      description={t`Cinco pasos para que tu asistente atienda. Puedes saltarte cualquiera, salir y seguir después.`}
      actions={<Button onClick={props.onLeave}>{t`Seguir en otro momento`}</Button>}
    >
      <Pane>
        <Steps {...props} />
      </Pane>
    </Page>
  )
}

function Steps({ step, onStep, onLeave }: SetupProps) {
  const setup = useSetup()
  const current = step ?? nextStep(setup.data)
  const following = after(current)
  const goOn = () => (following ? onStep(following) : setup.finish.mutate(undefined, { onSuccess: onLeave }))
  return (
    <div className="grid items-start gap-5 md:grid-cols-[15rem_minmax(0,1fr)]">
      <StepList setup={setup.data} current={current} onChoose={onStep} />
      <StepPanel
        key={current}
        setup={setup.data}
        name={current}
        isLast={following === null}
        busy={setup.skip.isPending || setup.finish.isPending}
        onNext={goOn}
        onSkip={() => setup.skip.mutate({ name: current, isSkipped: true }, { onSuccess: goOn })}
        onChanged={setup.look}
      />
    </div>
  )
}

function useSetup() {
  const { i18n } = useLingui()
  const queries = useQueryClient()
  const options = setupReadOptions()
  const { data } = useSuspenseQuery({ ...options, refetchInterval: LOOK_AGAIN_MS })
  const look = () => void queries.invalidateQueries({ queryKey: options.queryKey })
  useLive('conversations', (event) => {
    if (event.type === 'turn_ended') look()
  })
  const keep = {
    onSuccess: (changed: Setup) => queries.setQueryData(options.queryKey, changed),
    onError: (error: unknown) => toast.error(i18n._(messageOf(error))),
  }
  const skip = useMutation({
    mutationFn: async ({ name, isSkipped }: { name: StepName; isSkipped: boolean }) => {
      const skipped = withSkipped(data, name, isSkipped)
      return (await setupChange({ body: { skipped, finished: data.finished_at !== null } })).data
    },
    ...keep,
  })
  const finish = useMutation({
    mutationFn: async () => {
      const skipped = data.steps.filter(({ state }) => state === 'skipped').map(({ name }) => name)
      return (await setupChange({ body: { skipped, finished: true } })).data
    },
    ...keep,
  })
  return { data, look, skip, finish }
}
