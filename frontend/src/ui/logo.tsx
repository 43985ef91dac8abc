/** An awning over a counter: the mark of Mostrador. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" className={className}>
      <path
        d="M5 6h22v7a3.67 3.67 0 0 1-7.33 0 3.67 3.67 0 0 1-7.34 0A3.67 3.67 0 0 1 5 13z"
        fill="#4cc6a4"
      />
      <path d="M12.33 6h7.34v7a3.67 3.67 0 0 1-7.34 0z" fill="#f6f4ef" />
      <rect x="5" y="21" width="22" height="4.5" rx="1.6" fill="#e7b04a" />
    </svg>
  )
}
