import { readdirSync } from 'node:fs'
import { defineConfig } from '@playwright/test'

const JOURNEYS = 'e2e/journeys'

export default defineConfig({
  testDir: JOURNEYS,
  // Projects share no worker, so each file begins with a server of its own, where nothing has happened yet.
  projects: readdirSync(new URL(JOURNEYS, import.meta.url)).map((file) => ({
    name: file.replace('.spec.ts', ''),
    testMatch: file,
  })),
  outputDir: 'test-results',
  fullyParallel: false,
  workers: 2,
  forbidOnly: true,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['line']],
  use: {
    locale: 'es-ES',
    timezoneId: 'Europe/Madrid',
    viewport: { width: 1280, height: 800 },
    trace: 'off',
    launchOptions: {
      executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-quic',
        '--no-first-run',
      ],
    },
  },
})
