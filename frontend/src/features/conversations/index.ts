export { CannedReplies } from './canned-page'
export { readFilter } from './filter'
export { Inbox } from './inbox'
