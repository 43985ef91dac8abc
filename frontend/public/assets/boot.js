// Before the first paint: the theme, the density and the language this browser had last.
try {
  const kept = JSON.parse(localStorage.getItem('mostrador.preferences') || '{}')
  const root = document.documentElement
  if (kept.theme === 'light' || kept.theme === 'dark') root.dataset.theme = kept.theme
  if (kept.density === 'compact') root.dataset.density = 'compact'
  if (kept.language) root.lang = kept.language
} catch {
  // A browser that keeps nothing shows the defaults.
}
