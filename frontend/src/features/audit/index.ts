export { AuditTrail } from './trail'
