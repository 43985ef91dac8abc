import { existsSync } from 'node:fs'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig, mergeConfig } from 'vitest/config'
import viteConfig from './vite.config.ts'

const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'

const unit = {
  extends: true as const,
  test: { name: 'unit', environment: 'node', include: ['src/**/*.test.ts'] },
}
const components = {
  extends: true as const,
  test: {
    name: 'components',
    include: ['src/**/*.test.tsx'],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      instances: [{ browser: 'chromium' as const }],
      provider: playwright({
        launchOptions: { executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'] },
      }),
    },
  },
}

export default mergeConfig(
  viteConfig,
  defineConfig({ test: { projects: existsSync(chromium) ? [unit, components] : [unit] } }),
)
