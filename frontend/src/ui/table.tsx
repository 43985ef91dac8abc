import type { ReactNode } from 'react'
import { cn } from '@/lib/cn'

export type Column<Row> = {
  id: string
  head: ReactNode
  cell: (row: Row) => ReactNode
  /** Numbers stand at the right. */
  numeric?: boolean
  className?: string
}

type TableProps<Row> = {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowKey: (row: Row) => string
}

/** Rows of a list that is read across. On a phone each row becomes a card with its own headings. */
export function Table<Row>({ label, columns, rows, rowKey }: TableProps<Row>) {
  return (
    <div className="md:overflow-x-auto md:rounded-lg md:border md:border-line md:bg-surface">
      <table className="w-full border-collapse text-[0.87rem] max-md:block" aria-label={label}>
        <thead className="max-md:sr-only">
          <tr>
            {columns.map((column) => (
              <th
                key={column.id}
                scope="col"
                className={cn(
                  'whitespace-nowrap border-line border-b bg-sunken/50 px-3 py-2 text-left font-medium text-muted text-xs',
                  column.numeric && 'text-right',
                )}
              >
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="max-md:flex max-md:flex-col max-md:gap-2">
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              className="border-line max-md:block max-md:rounded-lg max-md:border max-md:bg-surface max-md:p-2 md:not-last:border-b md:hover:bg-sunken/40"
            >
              {columns.map((column) => (
                <td
                  key={column.id}
                  className={cn(
                    'px-3 py-2 align-middle max-md:flex max-md:items-center max-md:justify-between max-md:gap-4 max-md:px-1.5 max-md:py-1',
                    column.numeric && 'tabular text-right',
                    column.className,
                  )}
                >
                  <span aria-hidden className="text-muted text-xs md:hidden">
                    {column.head}
                  </span>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
