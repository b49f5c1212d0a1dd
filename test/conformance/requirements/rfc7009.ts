// RFC 7009, OAuth 2.0 Token Revocation.
import type { RequirementsOf } from '../requirement.ts'

export const RFC_7009 = {
  'rfc7009-2-revoke-refresh-tokens': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the revocation of refresh tokens is supported',
    notApplicable: 'Deputy issues no refresh tokens: an agent asks again with its own credentials',
  },
  'rfc7009-2-url-rules': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the URL is as RFC 6749 §3.1 has it: without a fragment',
  },
  'rfc7009-2-client-verifies-https': {
    level: 'MUST',
    binds: 'client',
    text: 'clients verify that the URL is an https URL',
    notApplicable:
      'the client of Deputy revokes nothing: agents end with their tokens, operators end them',
  },
  'rfc7009-2-https': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the URL of the revocation endpoint is an https URL, and TLS is used',
    stricter:
      'an issuer by plain http is refused at the start, except on the machine itself; TLS ends in front of the server',
  },
  'rfc7009-2-no-http-published': {
    level: 'MUST NOT',
    binds: 'authorization server',
    text: 'a plain http URL of the endpoint is not published',
  },
  'rfc7009-2.1-token-required': {
    level: 'REQUIRED',
    binds: 'client',
    text: 'the request names the token',
  },
  'rfc7009-2.1-hint-extends-search': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'a token that is not of the hinted type is looked for among all types',
  },
  'rfc7009-2.1-authenticates-client': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'the credentials of the client are validated first',
  },
  'rfc7009-2.1-issued-to-client': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'only the client that a token was issued to can revoke it',
    stricter:
      "another client's token gets the same answer as an unknown one: whose it is, is nobody else's business",
  },
  'rfc7009-2.1-immediate': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'the token is invalid at once and cannot be used again',
    stricter:
      'agents that verify tokens themselves learn of it by the revocation feed, in milliseconds; the age that their knowledge may have is bounded',
  },
  'rfc7009-2.1-client-is-prepared': {
    level: 'FACT',
    binds: 'client',
    text: 'a client is prepared for tokens that become invalid at any time',
    notApplicable: 'binds clients',
  },
  'rfc7009-2.2-revoked-token': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'a token that was revoked is answered with 200',
  },
  'rfc7009-2.2-unknown-token': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'an invalid token is answered with 200 as well',
  },
  'rfc7009-2.2-invalid-hint': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'an invalid hint is ignored and changes nothing',
  },
  'rfc7009-2.2.1-errors': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'errors are answered as RFC 6749 §5.2 has them',
  },
  'rfc7009-2.2.1-unavailable': {
    level: 'FACT',
    binds: 'client',
    text: 'after a 503 the client takes it that the token still exists',
    notApplicable:
      'binds clients; that nothing is half done then, and Retry-After says when to come back, is in test/faults',
  },
  'rfc7009-5-guessing': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the endpoint is guarded against guessing, as the token endpoint is',
  },
  'rfc7009-5-denial-of-service': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'hints and unknown tokens are of no use to launch a denial of service',
    stricter: 'hints cost nothing, and each client has so many requests a minute',
  },
  'rfc7009-5-client-authenticates-endpoint': {
    level: 'MUST',
    binds: 'client',
    text: 'clients authenticate the endpoint, by its certificate',
    notApplicable: 'binds clients, and that of Deputy revokes nothing',
  },
} as const satisfies RequirementsOf
