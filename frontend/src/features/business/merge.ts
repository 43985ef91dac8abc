import type { BusinessProfile } from '@/api'

type Part = keyof BusinessProfile

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

/** The parts in which two profiles differ. */
export function changedParts(one: BusinessProfile, other: BusinessProfile): Part[] {
  return (Object.keys(one) as Part[]).filter((part) => !same(one[part], other[part]))
}

/** A profile with some of its parts taken from another. */
export function withParts(
  profile: BusinessProfile,
  from: BusinessProfile,
  parts: readonly Part[],
): BusinessProfile {
  return { ...profile, ...Object.fromEntries(parts.map((part) => [part, from[part]])) }
}

/**
 * Put my changes of `base` on what somebody else has stored meanwhile.
 *
 * `theirs`: the parts that they changed. `both`: those of them that I changed too, otherwise; mine stand in the result.
 */
export function rebase(base: BusinessProfile, mine: BusinessProfile, stored: BusinessProfile) {
  const theirs = changedParts(base, stored)
  const both = theirs.filter((part) => !same(base[part], mine[part]) && !same(mine[part], stored[part]))
  return { profile: withParts(stored, mine, changedParts(base, mine)), theirs, both }
}
