// Fail when `npm run extract` would change the catalogues: a text was added, changed or removed without it.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const files = ['es', 'en', 'pt-BR'].map((locale) => new URL(`../src/locales/${locale}.po`, import.meta.url))
const read = () => files.map((file) => readFileSync(file, 'utf8')).join()

const before = read()
execFileSync('npm', ['run', '--silent', 'extract'], { stdio: 'pipe' })
if (read() !== before) {
  console.error(
    'The texts have changed: `npm run extract` has just updated src/locales; translate and commit them.',
  )
  process.exit(1)
}
