import { describe, expect, test } from 'vitest'
import { normalizeHttpUri } from './dpop-proof-url.ts'

describe('normalizeHttpUri', () => {
  test.each([
    ['HTTPS://Agent.Example/a', 'https://agent.example/a'],
    ['https://agent.example:443/a', 'https://agent.example/a'],
    ['http://agent.example:80/a', 'http://agent.example/a'],
    ['http://agent.example:443/a', 'http://agent.example:443/a'],
    ['https://agent.example', 'https://agent.example/'],
    ['https://agent.example/a?b=c#d', 'https://agent.example/a'],
    ['https://agent.example/x/../a', 'https://agent.example/a'],
    ['https://agent.example/%7ea%2fb', 'https://agent.example/~a%2Fb'],
    ['https://agent.example/a%2Fb', 'https://agent.example/a%2Fb'],
    ['https://agent.example/A', 'https://agent.example/A'],
    ['http://[::1]:2885/a', 'http://[::1]:2885/a'],
  ])('brings %s into the form %s', (text, normal) => {
    expect(normalizeHttpUri(text)).toBe(normal)
  })

  test.each([
    '',
    '/a',
    'agent.example/a',
    'ftp://agent.example/a',
    'https:agent.example/a',
    // Attack: what the URL parser forgives, and another reader of the same text takes for another URI.
    'https:\\\\agent.example\\a',
    'https://agent.example\\@evil.example/a',
    ' https://agent.example/a',
    'https://agent.example/a\n',
    'https://agent.example/ä',
    'https://user@agent.example/a',
    'https://user:secret@agent.example/a',
    'https://:443/a',
    'https://agent.example:99999/a',
  ])('takes %j for no http URI', (text) => {
    expect(normalizeHttpUri(text)).toBeUndefined()
  })
})
