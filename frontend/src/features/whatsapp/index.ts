export { AddNumber } from './add-number'
export { Channels } from './channels'
