// RFC 7662, OAuth 2.0 Token Introspection.
import type { RequirementsOf } from '../requirement.ts'

export const RFC_7662 = {
  'rfc7662-2-transport': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the endpoint is protected by transport-layer security',
    stricter: 'an issuer by plain http is refused at the start, except on the machine itself',
  },
  'rfc7662-2.1-post-form': {
    level: 'FACT',
    binds: 'client',
    text: 'the endpoint is asked by POST with a form',
    stricter: 'no other method and no other body is taken',
  },
  'rfc7662-2.1-token-required': {
    level: 'REQUIRED',
    binds: 'client',
    text: 'the request names the token',
  },
  'rfc7662-2.1-hint-extends-search': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'a token that is not of the hinted type is looked for among all types',
  },
  'rfc7662-2.1-authorization': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the endpoint needs authorization of whoever asks, against the scanning of tokens',
    stricter: 'and of each agent, what is meant for that agent is told to it alone',
  },
  'rfc7662-2.2-active': {
    level: 'REQUIRED',
    binds: 'authorization server',
    text: 'the answer is a JSON object with active, a boolean',
  },
  'rfc7662-2.2-inactive': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'of a token that is inactive, unknown, or not for the one who asks, active is false',
    stricter: 'and nothing else is said, whichever of the three it is',
  },
  'rfc7662-2.2-registered-names': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'names that are used across domains are registered',
    stricter: 'beside registered names there is rate_limit_tier, which Deputy agents alone read',
  },
  'rfc7662-2.3-invalid-credentials': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'bad client credentials are answered with 401, as RFC 6749 §5.2 has it',
  },
  'rfc7662-2.3-no-error-for-inactive': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'a good question about a bad token is no error',
  },
  'rfc7662-4-all-checks': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'all checks that apply to the state of a token are made',
  },
  'rfc7662-4-expired': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'it is determined whether the token has expired',
  },
  'rfc7662-4-not-yet-valid': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'where tokens can be issued before they are valid, it is determined whether they are yet',
    notApplicable: 'each token is valid from the second in which it is issued',
  },
  'rfc7662-4-revoked': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'it is determined whether the token was revoked',
    stricter: 'and whatever it stands on: its grants, credentials, and every agent of its chain',
  },
  'rfc7662-4-signature': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the signature of a signed token is validated',
  },
  'rfc7662-4-resource-server': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'it is determined whether the token can be used at the resource server that asks',
  },
  'rfc7662-4-requires-authentication': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'protected resources authenticate',
  },
  'rfc7662-4-tls': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'TLS is supported at the endpoint',
    stricter: 'an issuer by plain http is refused at the start, except on the machine itself',
  },
  'rfc7662-4-certificate': {
    level: 'MUST',
    binds: 'resource server',
    text: 'who asks checks the certificate of the server',
    notApplicable: 'agents use the platform, which checks it',
  },
  'rfc7662-4-caching-considered': {
    level: 'MUST',
    binds: 'anybody',
    text: 'who designs a system weighs what caching answers costs in security',
    notApplicable: 'no act of a server: it was weighed in docs/adr/0022',
  },
  'rfc7662-4-cache-not-beyond-exp': {
    level: 'MUST NOT',
    binds: 'resource server',
    text: 'an answer is not cached beyond exp',
    stricter:
      'an answer about an API key counts for 60 seconds at most, only while the feed would tell of its end, and not in the last 5 seconds of the key',
  },
  'rfc7662-5-privacy': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'what is sensitive to privacy is only told by right',
    stricter: 'nothing about persons is in any answer',
  },
} as const satisfies RequirementsOf
