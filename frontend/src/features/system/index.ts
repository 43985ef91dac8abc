export { SYSTEM_TABS, System, type SystemTab } from './system'
