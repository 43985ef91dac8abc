import type { ChannelDetails, ChannelToAdd, ChannelUpdate } from '@/api'
import type { CloudDraft } from './cloud-fields'

/** What is typed, as a number to be added. A verify token that nobody chose is made up. */
export function toAdd(draft: CloudDraft, madeUp: string): ChannelToAdd {
  return {
    name: draft.name.trim(),
    phone_number_id: draft.phone_number_id.trim(),
    business_account_id: draft.business_account_id.trim() || null,
    token: draft.token.trim(),
    app_secrets: [draft.app_secret.trim()],
    verify_token: draft.verify_token.trim() || madeUp,
    api_version: draft.api_version.trim() || null,
    messages_per_second: draft.messages_per_second ? Number(draft.messages_per_second) : null,
  }
}

/** The draft of a stored number: its secrets are not shown, and stay as they are while nothing is typed. */
export function draftOf(channel: ChannelDetails): CloudDraft {
  return {
    name: channel.name,
    phone_number_id: channel.phone_number_id,
    business_account_id: channel.business_account_id ?? '',
    token: '',
    app_secret: '',
    verify_token: '',
    api_version: channel.api_version ?? '',
    messages_per_second: String(channel.messages_per_second),
  }
}

/** Only what differs from what is stored. */
export function toChange(draft: CloudDraft, channel: ChannelDetails): ChannelUpdate {
  const before = draftOf(channel)
  const update: ChannelUpdate = {}
  if (draft.name.trim() !== before.name) update.name = draft.name.trim()
  const account = draft.business_account_id.trim()
  if (account !== before.business_account_id) update.business_account_id = account || null
  if (draft.token.trim()) update.token = draft.token.trim()
  if (draft.app_secret.trim()) update.app_secrets = [draft.app_secret.trim()]
  if (draft.verify_token.trim()) update.verify_token = draft.verify_token.trim()
  const version = draft.api_version.trim()
  if (version && version !== before.api_version) update.api_version = version
  const pace = draft.messages_per_second
  if (pace && pace !== before.messages_per_second) update.messages_per_second = Number(pace)
  return update
}
