// RFC 6750, OAuth 2.0 Bearer Token Usage.
import type { RequirementsOf } from '../requirement.ts'

const IN_HEADER_ONLY =
  'tokens are taken in the Authorization header only, and never read from bodies or URLs'

export const RFC_6750 = {
  'rfc6750-2-one-method': {
    level: 'MUST NOT',
    binds: 'client',
    text: 'a request has its token by no more than one method',
    stricter: 'the agent refuses a request with two credentials',
  },
  'rfc6750-2.1-authorization-header': {
    level: 'MUST',
    binds: 'resource server',
    text: 'tokens in the Authorization header are taken',
  },
  'rfc6750-2.2-form-body': {
    level: 'MUST NOT',
    binds: 'client',
    text: 'a token is in the body only of a form of plain text, and not with GET',
    notApplicable: IN_HEADER_ONLY,
  },
  'rfc6750-2.3-query': {
    level: 'FACT',
    binds: 'resource server',
    text: 'a token in the URL need not be taken',
    stricter: 'it is not, and is no better than none',
  },
  'rfc6750-3-challenge': {
    level: 'MUST',
    binds: 'resource server',
    text: 'a request without a token that gives access is answered with WWW-Authenticate',
  },
  'rfc6750-3-scheme': {
    level: 'MUST',
    binds: 'resource server',
    text: 'the challenge has the scheme Bearer, with one parameter at least',
  },
  'rfc6750-3-scope-characters': {
    level: 'MUST NOT',
    binds: 'resource server',
    text: 'scope in the challenge has no characters but %x21, %x23-5B, %x5D-7E and spaces between',
  },
  'rfc6750-3-error-characters': {
    level: 'MUST NOT',
    binds: 'resource server',
    text: 'error and error_description have no characters outside %x20-21, %x23-5B and %x5D-7E',
  },
  'rfc6750-3-error-uri-characters': {
    level: 'MUST NOT',
    binds: 'resource server',
    text: 'error_uri has no characters outside a URI reference',
    notApplicable: 'no challenge has an error_uri',
  },
  'rfc6750-3-once': {
    level: 'MUST NOT',
    binds: 'resource server',
    text: 'realm, scope, error and error_description are there once at most',
  },
  'rfc6750-3.1-no-error-without-credentials': {
    level: 'FACT',
    binds: 'resource server',
    text: 'a request without any credential is told no error code',
  },
  'rfc6750-3.1-invalid-request': {
    level: 'FACT',
    binds: 'resource server',
    text: 'a request with more than one method is invalid_request, with 400',
  },
  'rfc6750-3.1-invalid-token': {
    level: 'FACT',
    binds: 'resource server',
    text: 'a token that is expired, revoked, malformed or otherwise invalid is invalid_token, with 401',
  },
  'rfc6750-3.1-insufficient-scope': {
    level: 'FACT',
    binds: 'resource server',
    text: 'a token that may not is insufficient_scope, with 403 and the scope that is needed',
  },
  'rfc6750-5.2-unguessable': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'a token that refers to what it stands for cannot be guessed',
    stricter: 'API keys are 256 random bits, with a checksum',
  },
  'rfc6750-5.2-integrity': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'tokens are protected from being changed or made up',
  },
  'rfc6750-5.2-tls': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'TLS protects tokens on their way',
    stricter:
      'an issuer by plain http is refused at the start, except on the machine itself, and keys are not taken from one',
  },
  'rfc6750-5.2-encryption': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'tokens are encrypted where their clients must not see what is in them',
    notApplicable: 'a client may see all that is in a token of its own',
  },
  'rfc6750-5.2-front-end': {
    level: 'MUST',
    binds: 'resource server',
    text: 'tokens are kept confidential between a front end, where TLS ends, and the servers behind it',
    notApplicable: 'what lies between is the network of whoever runs both',
  },
  'rfc6750-5.2-lifetime': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the lifetime of tokens is limited',
  },
  'rfc6750-5.2-audience': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'tokens say whom they are for, and nobody else takes them',
    stricter: 'each is for one agent',
  },
  'rfc6750-5.2-client-verifies-tls': {
    level: 'MUST',
    binds: 'client',
    text: 'clients validate the certificates of those whom they send tokens to',
    notApplicable: 'binds clients; Deputy uses the platform, which validates them',
  },
  'rfc6750-5.3-not-leaked': {
    level: 'MUST',
    binds: 'client',
    text: 'clients do not leak tokens to others than those whom they are for',
  },
  'rfc6750-5.3-always-tls': {
    level: 'MUST',
    binds: 'client',
    text: 'clients send tokens by TLS only',
    stricter: 'a client for an agent by plain http is not made, except on the machine itself',
  },
  'rfc6750-5.3-cookie-forgery': {
    level: 'MUST',
    binds: 'client',
    text: 'who keeps tokens in cookies guards against cross-site request forgery',
    notApplicable: 'nothing here sets or reads a cookie',
  },
  'rfc6750-5.3-cookies': {
    level: 'MUST NOT',
    binds: 'client',
    text: 'tokens are not kept in cookies that can be sent in the clear',
    notApplicable: 'nothing here sets or reads a cookie',
  },
  'rfc6750-5.3-short-lived': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'tokens live one hour or less',
    stricter: '15 minutes by default, 30 at most, 5 at most after an exchange',
  },
} as const satisfies RequirementsOf
