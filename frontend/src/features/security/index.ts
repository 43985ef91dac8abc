export { SecurityConsole } from './console'
