export { AddProvider } from './add-provider'
export { providerName } from './names'
export { Playground } from './playground'
export { Providers } from './providers'
