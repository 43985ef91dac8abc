export { SetupPage } from './setup'
export { STEP_ORDER, type StepName } from './steps'
