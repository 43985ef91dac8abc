export { SimulatorPage } from './simulator'
