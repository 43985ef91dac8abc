import { Fragment, type ReactNode } from 'react'
import { type Piece, readMarks } from '@/lib/marks'

/** A message as WhatsApp shows it. Text nodes only: nothing a stranger wrote is ever read as markup. */
export function MarkedText({ text }: { text: string }) {
  return <>{readMarks(text).map(show)}</>
}

function show(piece: Piece, place: number): ReactNode {
  switch (piece.kind) {
    case 'text':
      return <Fragment key={place}>{piece.text}</Fragment>
    case 'bold':
      return <strong key={place}>{piece.pieces.map(show)}</strong>
    case 'italic':
      return <em key={place}>{piece.pieces.map(show)}</em>
    case 'strike':
      return <s key={place}>{piece.pieces.map(show)}</s>
    case 'code':
      return (
        <code key={place} className="rounded bg-sunken px-1 font-mono text-[0.9em]">
          {piece.text}
        </code>
      )
    case 'block':
      return (
        <code
          key={place}
          className="my-1 block overflow-x-auto whitespace-pre-wrap rounded bg-sunken p-2 font-mono text-[0.9em]"
        >
          {piece.text}
        </code>
      )
    case 'link':
      return (
        <a
          key={place}
          href={piece.href}
          target="_blank"
          rel="noopener noreferrer nofollow ugc"
          className="break-all text-info underline"
        >
          {piece.text}
        </a>
      )
  }
}
