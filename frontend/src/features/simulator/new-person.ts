const NAMES = ['Ana García', 'Luis Pérez', 'Camila Rojas', 'João Silva', 'Marta Núñez', 'Diego Torres']

/** Somebody who has not written yet: a name, and a number that nobody else here is likely to have. */
export function newPerson(): { name: string; phone: string; reads: boolean; reachable: boolean } {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2))
  return {
    name: NAMES[first % NAMES.length] ?? 'Ana García',
    phone: `54911${String(second).padStart(10, '0').slice(-8)}`,
    reads: true,
    reachable: true,
  }
}
