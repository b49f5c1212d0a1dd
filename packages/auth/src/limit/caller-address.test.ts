import { describe, expect, test } from 'vitest'
import { createCallerAddress } from './caller-address.ts'

const socket = { remoteAddress: '10.0.0.1' }

describe('the address of a caller', () => {
  test.each([
    { trustedProxies: 0, forwardedFor: '203.0.113.9', address: '10.0.0.1' },
    { trustedProxies: 1, forwardedFor: '203.0.113.9', address: '203.0.113.9' },
    { trustedProxies: 1, forwardedFor: '198.51.100.1, 203.0.113.9', address: '203.0.113.9' },
    { trustedProxies: 1, forwardedFor: ['198.51.100.1', '203.0.113.9'], address: '203.0.113.9' },
    { trustedProxies: 2, forwardedFor: '198.51.100.1, 203.0.113.9', address: '198.51.100.1' },
    { trustedProxies: 2, forwardedFor: '203.0.113.9', address: '10.0.0.1' },
    { trustedProxies: 1, forwardedFor: 'not an address', address: '10.0.0.1' },
    { trustedProxies: 1, forwardedFor: undefined, address: '10.0.0.1' },
    { trustedProxies: 1, forwardedFor: '2001:db8::1', address: '2001:db8::1' },
    { trustedProxies: 1, forwardedFor: '203.0.113.9:51234', address: '203.0.113.9' },
    { trustedProxies: 1, forwardedFor: '[2001:db8::1]:51234', address: '2001:db8::1' },
    { trustedProxies: 1, forwardedFor: '[2001:db8::1]', address: '2001:db8::1' },
    { trustedProxies: 1, forwardedFor: '203.0.113.9:port', address: '10.0.0.1' },
    { trustedProxies: 1, forwardedFor: '[203.0.113]:51234', address: '10.0.0.1' },
  ])(
    'behind $trustedProxies proxies, of "$forwardedFor" is $address',
    ({ address, forwardedFor, trustedProxies }) => {
      // Attack: a caller writes an address of its own into the header, to be limited as another.
      expect(createCallerAddress({ trustedProxies })({ socket, forwardedFor })).toBe(address)
    },
  )

  test('is unknown where the socket is gone', () => {
    expect(createCallerAddress()({ forwardedFor: undefined })).toBe('unknown')
  })

  test('is said once to be that of a proxy that nobody trusts', () => {
    const told: string[] = []
    const read = createCallerAddress({ onUntrusted: () => told.push('told') })

    read({ socket, forwardedFor: undefined })
    expect(told).toEqual([])
    read({ socket, forwardedFor: '203.0.113.9' })
    read({ socket, forwardedFor: '203.0.113.9' })

    expect(told).toEqual(['told'])
  })

  test.each([-1, 1.5, Number.NaN])('is not read behind %s proxies', (trustedProxies) => {
    expect(() => createCallerAddress({ trustedProxies })).toThrow(TypeError)
  })
})
