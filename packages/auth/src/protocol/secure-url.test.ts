import { expect, test } from 'vitest'
import { parseSecureUrl } from './secure-url.ts'

test.each([
  'https://as.example',
  'http://127.0.0.1:2884',
  'http://127.1.2.3',
  'http://localhost:1/x',
  'http://[::1]:2884',
])('takes %s', (text) => {
  expect(parseSecureUrl(text, 'issuer').href).toBe(new URL(text).href)
})

test.each([
  'http://as.example',
  'http://10.0.0.1',
  'http://127.0.0.1.evil.example',
  'http://localhost.evil.example',
  'ftp://127.0.0.1',
  'javascript:alert(1)',
])('refuses %s, by name', (text) => {
  expect(() => parseSecureUrl(text, 'issuer')).toThrow(
    `issuer must be https (http on this machine only), not ${text}`,
  )
})

test('refuses what is no URL', () => {
  expect(() => parseSecureUrl('as.example', 'url')).toThrow('url must be a URL, not "as.example"')
})
