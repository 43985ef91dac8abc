import type { BusinessProfile } from '@/api'

/** What each part of the form gets. */
export type PartProps = {
  profile: BusinessProfile
  change: (part: Partial<BusinessProfile>) => void
  readOnly: boolean
}
