import type { Message, Note, Turn } from '@/api'
import { dayKey } from '@/lib/format'
import { reactionOf } from './content'
import type { Outgoing } from './outgoing'

export type Entry =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'message'; key: string; message: Message; reactions: string[]; quoted: Message | null }
  | { kind: 'note'; key: string; note: Note }
  | { kind: 'turn'; key: string; turn: Turn }
  | { kind: 'outgoing'; key: string; outgoing: Outgoing }

type Sources = { messages: Message[]; notes: Note[]; turns: Turn[]; outgoing: Outgoing[]; complete: boolean }

// A turn that ended in one of these without an answer is a silence, and a silence is explained.
const SILENT: readonly Turn['state'][] = ['ignored', 'failed', 'handed_off']

/** Everything of a conversation in the order it happened. `complete` means that no older message is left to load. */
export function timeline({ messages, notes, turns, outgoing, complete }: Sources): Entry[] {
  const shown = messages.filter((one) => reactionOf(one) === null)
  const byWamid = new Map(messages.flatMap((one) => (one.wamid ? [[one.wamid, one] as const] : [])))
  const reactions = reactionsByTarget(messages)
  const silences = silencesByMessage(turns)
  const entries: Entry[] = []
  const notesLeft = notes.toSorted((one, other) => (one.id < other.id ? -1 : 1))
  const first = shown[0]
  if (first && !complete) while (notesLeft[0] && notesLeft[0].id < first.id) notesLeft.shift()
  let day = ''
  const put = (at: string, entry: Entry) => {
    const key = dayKey(at)
    if (key !== day) entries.push({ kind: 'day', key: `day ${key}`, at })
    day = key
    entries.push(entry)
  }
  const putNote = (note: Note) => put(note.created_at, { kind: 'note', key: note.id, note })
  for (const message of shown) {
    // Ids are UUIDs of version 7: in the order in which things were stored.
    while (notesLeft[0] && notesLeft[0].id < message.id) putNote(notesLeft.shift() as Note)
    put(message.sent_at, {
      kind: 'message',
      key: message.id,
      message,
      reactions: [...(reactions.get(message.wamid ?? '')?.values() ?? [])].filter(Boolean),
      quoted: message.reply_to ? (byWamid.get(message.reply_to) ?? null) : null,
    })
    const turn = silences.get(message.id)
    if (turn) entries.push({ kind: 'turn', key: turn.id, turn })
  }
  for (const note of notesLeft) putNote(note)
  for (const one of outgoing) put(one.at, { kind: 'outgoing', key: one.id, outgoing: one })
  return entries
}

/** The latest reaction of each side to each message; an empty one takes it back. */
function reactionsByTarget(messages: Message[]): Map<string, Map<string, string>> {
  const found = new Map<string, Map<string, string>>()
  for (const message of messages) {
    const reaction = reactionOf(message)
    if (!reaction) continue
    const sides = found.get(reaction.target) ?? new Map<string, string>()
    found.set(reaction.target, sides.set(message.author === 'customer' ? 'them' : 'us', reaction.emoji))
  }
  return found
}

/** Each silent turn under the last message that it was about. */
function silencesByMessage(turns: Turn[]): Map<string, Turn> {
  const silent = turns.filter((turn) => SILENT.includes(turn.state) && turn.outbound_ids.length === 0)
  return new Map(
    silent.flatMap((turn) => {
      const last = turn.inbound_ids.toSorted().at(-1)
      return last ? [[last, turn] as const] : []
    }),
  )
}
