const BROWSERS: [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
]

/** The browser and the system that a `User-Agent` names; no name where it names neither. */
export function device(userAgent: string | null): { name: string | null; isPhone: boolean } {
  const named = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(userAgent ?? ''))?.[1]
  const name = [named(BROWSERS), named(SYSTEMS)].filter(Boolean).join(' · ')
  return { name: name || null, isPhone: /Android|iPhone/.test(userAgent ?? '') }
}
