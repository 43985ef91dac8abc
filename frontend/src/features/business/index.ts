export { BusinessPage } from './business-page'
