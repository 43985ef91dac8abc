export { AddProvider } from './add-provider'
export { errorName, providerName } from './names'
export { Playground } from './playground'
export { Providers } from './providers'
