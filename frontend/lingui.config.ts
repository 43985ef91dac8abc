import { defineConfig } from '@lingui/cli'
import { formatter } from '@lingui/format-po'

export default defineConfig({
  sourceLocale: 'es',
  locales: ['es', 'en', 'pt-BR'],
  catalogs: [
    { path: '<rootDir>/src/locales/{locale}', include: ['src'], exclude: ['src/api/**', '**/*.test.*'] },
  ],
  // In the order of the texts and without line numbers, so that two people rarely change the same lines.
  orderBy: 'message',
  format: formatter({ origins: false }),
})
