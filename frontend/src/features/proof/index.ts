export { Doctor } from './doctor'
export { chosenFrom } from './period'
export { Proof } from './proof'
