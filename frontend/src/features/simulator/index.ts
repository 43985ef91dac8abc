export { PhoneTrial } from './phone-trial'
export { SimulatorPage } from './simulator'
