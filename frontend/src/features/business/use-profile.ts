import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { type BusinessProfile, businessProfile, businessReplaceProfile, type StoredProfile } from '@/api'
import { businessProfileOptions } from '@/api/@tanstack/react-query.gen'
import { setTimeZone } from '@/lib/format'
import { codeOf } from '@/session/problem'
import { changedParts, rebase, withParts } from './merge'

/** Somebody else stored a profile while this one was edited: which parts they changed, and which of those I did too. */
export type Clash = { theirs: (keyof BusinessProfile)[]; both: (keyof BusinessProfile)[] }

/** A draft of the profile over the stored one, which may change under it. */
export function useProfile() {
  const queries = useQueryClient()
  const { queryKey } = businessProfileOptions()
  const { data: stored } = useSuspenseQuery(businessProfileOptions())
  const base = useRef(stored)
  const [draft, setDraft] = useState(stored.profile)
  const [clash, setClash] = useState<Clash | null>(null)

  useEffect(() => {
    if (base.current.version === stored.version) return
    const { profile, theirs, both } = rebase(base.current.profile, draft, stored.profile)
    const hadChanges = changedParts(base.current.profile, draft).length > 0
    base.current = stored
    setDraft(profile)
    if (hadChanges && theirs.some((part) => part !== 'paused')) setClash({ theirs, both })
  }, [stored, draft])

  const show = (newer: StoredProfile) => {
    setTimeZone(newer.profile.hours?.time_zone)
    queries.setQueryData(queryKey, newer)
  }

  const save = useMutation({
    mutationFn: async (profile: BusinessProfile) =>
      (await businessReplaceProfile({ body: { version: base.current.version, profile } })).data,
    onSuccess: (newer) => {
      base.current = newer
      setDraft(newer.profile)
      setClash(null)
      show(newer)
    },
    onError: (error) => {
      if (codeOf(error) === CHANGED) void queries.invalidateQueries({ queryKey })
    },
  })

  // Pausing does not wait for the rest of the form: it is done on whatever is stored now.
  const pause = useMutation({
    mutationFn: async (paused: boolean) => {
      const { profile, version } = (await businessProfile()).data
      return (await businessReplaceProfile({ body: { version, profile: { ...profile, paused } } })).data
    },
    onSuccess: show,
  })

  return {
    stored,
    draft,
    isDirty: changedParts(stored.profile, draft).length > 0,
    change: (part: Partial<BusinessProfile>) => setDraft({ ...draft, ...part }),
    discard: () => {
      setDraft(stored.profile)
      setClash(null)
    },
    clash,
    takeTheirs: () => {
      setDraft(withParts(draft, stored.profile, clash?.both ?? []))
      setClash(null)
    },
    keepMine: () => setClash(null),
    save,
    pause,
  }
}

export const CHANGED = 'business_profile_changed'
