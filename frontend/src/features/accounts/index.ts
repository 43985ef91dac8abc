export { MyAccount } from './my-account'
export { SignIn } from './sign-in'
export { Team } from './team'
export { Welcome } from './welcome'
