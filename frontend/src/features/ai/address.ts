/** The part of an address that tells one server from another; the address itself where it is none. */
export function hostOf(address: string): string {
  try {
    return new URL(address).host
  } catch {
    return address
  }
}
