import type { CustomerView, SimulatorView } from '@/api'
import { Phone } from './phone'
import { Clock, useSimulatedNow } from './simulated-time'
import { FirstPerson, Simulated } from './simulator'

/** One phone to write to the business at once, without the tools around it. */
export function PhoneTrial() {
  return (
    <Simulated empty={(state) => <FirstPerson state={state} onReady={() => {}} />}>
      {(state, [person]) => <FirstPhone key={person.id} state={state} person={person} />}
    </Simulated>
  )
}

function FirstPhone({ state, person }: { state: SimulatorView; person: CustomerView }) {
  const now = useSimulatedNow(state)
  return (
    <Phone
      person={person}
      business={state.numbers[0]?.verified_name ?? 'Mostrador'}
      clock={<Clock now={now} />}
    />
  )
}
