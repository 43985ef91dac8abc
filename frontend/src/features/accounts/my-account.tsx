import { useLingui } from '@lingui/react/macro'
import { useMe } from '@/session/session'
import { Badge } from '@/ui/badge'
import { Pane } from '@/ui/error-pane'
import { Page } from '@/ui/page'
import { MyPassword } from './my-password'
import { MyPreferences } from './my-preferences'
import { MySecondFactor } from './my-second-factor'
import { MySessions } from './my-sessions'
import { ROLE_NAMES } from './roles'

/** One's own account: how the panel looks, the password, the second factor, the sessions. */
export function MyAccount() {
  const { t, i18n } = useLingui()
  const { user } = useMe()
  return (
    <Page
      title={t`Mi cuenta`}
      description={user.username}
      actions={<Badge tone="good">{i18n._(ROLE_NAMES[user.role])}</Badge>}
    >
      <MyPreferences />
      <MyPassword />
      <MySecondFactor />
      <Pane>
        <MySessions />
      </Pane>
    </Page>
  )
}
