export { BusinessPage } from './business-page'
export { ProfileStart } from './profile-start'
