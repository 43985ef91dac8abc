export { MyAccount } from './my-account'
export { SignIn } from './sign-in'
export { Welcome } from './welcome'
