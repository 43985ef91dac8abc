import { expect, test } from 'vitest'
import type { ChannelDetails } from '@/api'
import { draftOf, toAdd, toChange } from './cloud-draft'
import { NEW_NUMBER } from './cloud-fields'

const channel = {
  name: 'Ventas',
  phone_number_id: '100000000000007',
  business_account_id: '200000000000001',
  api_version: 'v26.0',
  messages_per_second: 80,
} as ChannelDetails

test('what nobody touched is not sent, least of all an empty secret', () => {
  expect(toChange(draftOf(channel), channel)).toEqual({})
  expect(
    toChange({ ...draftOf(channel), token: ' EAAB-new-token-1234 ', messages_per_second: '20' }, channel),
  ).toEqual({ token: 'EAAB-new-token-1234', messages_per_second: 20 })
})

test('an account id that was cleared is taken away', () => {
  expect(toChange({ ...draftOf(channel), business_account_id: '' }, channel)).toEqual({
    business_account_id: null,
  })
})

test('a verify token that nobody chose is made up, and the rest is what the server has for everybody', () => {
  const typed = {
    ...NEW_NUMBER,
    name: 'Ventas',
    phone_number_id: '100000000000007',
    token: 'T',
    app_secret: 'S',
  }
  expect(toAdd(typed, 'made-up')).toEqual({
    name: 'Ventas',
    phone_number_id: '100000000000007',
    business_account_id: null,
    token: 'T',
    app_secrets: ['S'],
    verify_token: 'made-up',
    api_version: null,
    messages_per_second: null,
  })
})
