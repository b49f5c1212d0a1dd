// RFC 9068, JSON Web Token (JWT) Profile for OAuth 2.0 Access Tokens.
import type { RequirementsOf } from '../requirement.ts'

const claim = <Name extends string>(name: Name) =>
  ({ level: 'REQUIRED', binds: 'authorization server', text: `tokens have ${name}` }) as const

export const RFC_9068 = {
  'rfc9068-2.1-signed': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'access tokens are signed',
  },
  'rfc9068-2.1-no-none': {
    level: 'MUST NOT',
    binds: 'anybody',
    text: 'none is not used as an algorithm',
  },
  'rfc9068-2.1-rs256': {
    level: 'MUST',
    binds: 'anybody',
    text: 'server and agents have RS256 among the algorithms that they support',
  },
  'rfc9068-2.1-typ': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the header has the type at+jwt',
  },
  'rfc9068-2.2-iss': claim('iss'),
  'rfc9068-2.2-exp': claim('exp'),
  'rfc9068-2.2-aud': claim('aud'),
  'rfc9068-2.2-sub': {
    level: 'REQUIRED',
    binds: 'authorization server',
    text: 'tokens have sub, which is the client itself where no person is involved',
  },
  'rfc9068-2.2-client-id': claim('client_id'),
  'rfc9068-2.2-iat': claim('iat'),
  'rfc9068-2.2-jti': {
    level: 'REQUIRED',
    binds: 'authorization server',
    text: 'tokens have jti, each one of its own',
  },
  'rfc9068-2.2.1-authentication-information': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'auth_time, acr and amr are those of the sign-in that the token comes from',
    notApplicable: 'no person signs in: tokens have none of them',
  },
  'rfc9068-2.2.3-scopes-mean-something': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'each scope of a token means something to its audience',
    stricter: 'the token always has scope, and only what the agent has said that it knows',
  },
  'rfc9068-3-default-resource': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'without resource, a default is the audience',
    stricter: 'where there is more than one candidate the request is refused',
  },
  'rfc9068-3-not-ambiguous': {
    level: 'MUST NOT',
    binds: 'authorization server',
    text: 'no token is issued whose authority would be ambiguous',
  },
  'rfc9068-4-consistent-metadata': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'metadata of OAuth and of OpenID Connect say the same',
    notApplicable: 'there is no metadata of OpenID Connect',
  },
  'rfc9068-4-errors': {
    level: 'MUST',
    binds: 'resource server',
    text: 'errors are answered as RFC 6750 §3.1 has them',
  },
  'rfc9068-4-typ': {
    level: 'MUST',
    binds: 'resource server',
    text: 'only tokens of the type at+jwt, or application/at+jwt, are taken',
  },
  'rfc9068-4-encrypted': {
    level: 'FACT',
    binds: 'resource server',
    text: 'tokens are decrypted where that was agreed',
    notApplicable: 'nothing is encrypted, and nothing encrypted is taken',
  },
  'rfc9068-4-iss': {
    level: 'MUST',
    binds: 'resource server',
    text: 'iss is exactly the issuer whose tokens are taken',
  },
  'rfc9068-4-aud': {
    level: 'MUST',
    binds: 'resource server',
    text: 'tokens are refused that do not name the agent as audience',
  },
  'rfc9068-4-signature': {
    level: 'MUST',
    binds: 'resource server',
    text: 'the signature is validated, by the algorithm of the header',
  },
  'rfc9068-4-no-none': {
    level: 'MUST',
    binds: 'resource server',
    text: 'tokens with the algorithm none are refused',
    stricter: 'so are those with shared secrets, and no setting changes that',
  },
  'rfc9068-4-issuer-keys': {
    level: 'MUST',
    binds: 'resource server',
    text: 'the keys are those that the issuer publishes',
  },
  'rfc9068-4-exp': {
    level: 'MUST',
    binds: 'resource server',
    text: 'a token is taken before its exp only, give or take a small leeway',
    stricter: 'the leeway is 5 seconds unless the operator sets another',
  },
  'rfc9068-4-invalid-token': {
    level: 'MUST',
    binds: 'resource server',
    text: 'a token that fails any of these checks is answered with invalid_token',
  },
  'rfc9068-5-distinct-audiences': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'different resources have different audiences',
  },
  'rfc9068-6-not-inspected': {
    level: 'MUST NOT',
    binds: 'client',
    text: 'clients do not look into access tokens',
    notApplicable: 'binds clients',
  },
} as const satisfies RequirementsOf
