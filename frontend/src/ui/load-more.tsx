import { useLingui } from '@lingui/react/macro'
import { Button } from './button'

type Pages = { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }

/** The next page of a keyset list, when there is one. */
export function LoadMore({ query }: { query: Pages }) {
  const { t } = useLingui()
  if (!query.hasNextPage) return null
  return (
    <div className="mt-3 flex justify-center">
      <Button busy={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
        {t`Mostrar más`}
      </Button>
    </div>
  )
}
