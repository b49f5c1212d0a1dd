// RFC 7523, JWT Profile for OAuth 2.0 Client Authentication and Authorization Grants.
import type { RequirementsOf } from '../requirement.ts'

const NO_GRANT = 'assertions are taken to authenticate clients, not as authorization grants'

export const RFC_7523 = {
  'rfc7523-2.1-grant-type': {
    level: 'MUST',
    binds: 'client',
    text: 'an assertion as a grant has the grant_type of JWT bearers, and is a single JWT',
    notApplicable: NO_GRANT,
  },
  'rfc7523-2.2-assertion-type': {
    level: 'FACT',
    binds: 'client',
    text: 'client_assertion_type is urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    stricter: 'the server refuses any other, and either parameter without the other',
  },
  'rfc7523-2.2-single-jwt': {
    level: 'MUST NOT',
    binds: 'client',
    text: 'client_assertion is one JWT and no more',
    stricter: 'the server refuses a repeated one, and text that is not one signed JWT',
  },
  'rfc7523-3-criteria': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'an assertion is relied on only where it meets all that follows',
  },
  'rfc7523-3-issuer-comparison': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'issuers are compared character by character',
  },
  'rfc7523-3-issuer': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'an assertion without iss is refused',
  },
  'rfc7523-3-subject': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the subject is the client_id of the client that authenticates',
  },
  'rfc7523-3-audience': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'an assertion is refused unless the server itself is the audience',
    stricter:
      'the audience is the issuer and nobody beside it, neither the URL of the token endpoint nor another server',
  },
  'rfc7523-3-audience-comparison': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'audiences are compared character by character',
  },
  'rfc7523-3-expiration': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'an assertion has exp, and is refused once that has passed',
    stricter: 'exp is 600 seconds ahead at most',
  },
  'rfc7523-3-not-before': {
    level: 'MUST NOT',
    binds: 'authorization server',
    text: 'an assertion is not taken before its nbf',
    stricter: 'nor before its iat',
  },
  'rfc7523-3-replay': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'assertions may be kept from being replayed by their jti',
    stricter: 'jti is required, and an assertion is good once, on all instances',
  },
  'rfc7523-3-signature': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'an assertion is signed, and refused when the signature is invalid',
    stricter: 'algorithms with shared secrets, and none, are refused',
  },
  'rfc7523-3-valid-jwt': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'what is not valid as a JWT in every other respect is refused',
  },
  'rfc7523-3.1-credentials': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'credentials that come with an assertion as a grant are validated',
    notApplicable: NO_GRANT,
  },
  'rfc7523-3.1-invalid-grant': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'an assertion that is not valid as a grant is answered with invalid_grant',
    notApplicable: NO_GRANT,
  },
  'rfc7523-3.2-invalid-client': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'an assertion that is not valid is answered with invalid_client',
    stricter: 'in words that do not tell an unknown client from a wrong signature',
  },
  'rfc7523-5-rs256': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'RS256 is mandatory to implement',
  },
} as const satisfies RequirementsOf
