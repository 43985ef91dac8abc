import { onPreferences, preferences } from './preferences'

const dark = () => window.matchMedia('(prefers-color-scheme: dark)')

/** Show the theme and the density that were chosen, now and after every change. */
export function followAppearance(): void {
  show()
  onPreferences(show)
  dark().addEventListener('change', show)
}

function show(): void {
  const { theme, density } = preferences()
  const root = document.documentElement
  root.dataset.theme = theme === 'system' ? (dark().matches ? 'dark' : 'light') : theme
  root.dataset.density = density
}
