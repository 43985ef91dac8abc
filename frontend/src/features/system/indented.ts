/** JSON with a line for each member; anything else as it is. Numbers that JavaScript would round stay as they came. */
export function indented(body: string): string {
  try {
    const whole = JSON.stringify(JSON.parse(body), null, 2)
    return sameNumbers(body, whole) ? whole : body
  } catch {
    return body
  }
}

const NUMBERS = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const sameNumbers = (one: string, other: string) =>
  (one.match(NUMBERS) ?? []).join() === (other.match(NUMBERS) ?? []).join()
