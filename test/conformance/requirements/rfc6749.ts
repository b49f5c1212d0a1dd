// RFC 6749, The OAuth 2.0 Authorization Framework: §§2.3, 3.2, 3.3, 4.4 and 5.
import type { RequirementsOf } from '../requirement.ts'

export const RFC_6749 = {
  'rfc6749-2.3-public-clients': {
    level: 'MUST NOT',
    binds: 'authorization server',
    text: 'the authentication of public clients is not relied on to identify them',
    stricter: 'there are no public clients: whoever does not authenticate is refused',
  },
  'rfc6749-2.3-one-method': {
    level: 'MUST NOT',
    binds: 'client',
    text: 'a request authenticates by no more than one method',
    stricter: 'the server refuses a request that does',
  },
  'rfc6749-2.3.1-basic': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'HTTP Basic is supported for clients that have a password, id and secret form-encoded',
  },
  'rfc6749-2.3.1-body-parameters': {
    level: 'REQUIRED',
    binds: 'client',
    text: 'credentials in the body are client_id and client_secret',
  },
  'rfc6749-2.3.1-not-in-url': {
    level: 'MUST NOT',
    binds: 'client',
    text: 'credentials are not in the URL of the request',
    stricter: 'the server refuses a request that has them there, right or wrong',
  },
  'rfc6749-2.3.1-tls': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'TLS is required where a password authenticates',
    stricter: 'an issuer by plain http is refused at the start, except on the machine itself',
  },
  'rfc6749-2.3.1-brute-force': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'endpoints that take passwords are protected against guessing',
  },
  'rfc6749-2.3.2-other-methods': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'another method of authentication maps to the client it is of',
  },
  'rfc6749-3.2-query-retained': {
    level: 'MUST',
    binds: 'client',
    text: 'a query in the URL of the endpoint is kept',
    notApplicable: 'binds clients; the URLs that Deputy publishes have no query',
  },
  'rfc6749-3.2-no-fragment': {
    level: 'MUST NOT',
    binds: 'authorization server',
    text: 'the URL of the token endpoint has no fragment',
  },
  'rfc6749-3.2-tls': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'TLS is required at the token endpoint',
    stricter: 'an issuer by plain http is refused at the start, except on the machine itself',
  },
  'rfc6749-3.2-post': {
    level: 'MUST',
    binds: 'client',
    text: 'tokens are asked for by POST',
    stricter: 'the server refuses every other method, naming the one to use',
  },
  'rfc6749-3.2-empty-parameters': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'a parameter without a value is as if it were left out',
  },
  'rfc6749-3.2-unknown-parameters': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'parameters that are not known are ignored',
  },
  'rfc6749-3.2-no-repetition': {
    level: 'MUST NOT',
    binds: 'anybody',
    text: 'parameters of requests and answers are not repeated',
    stricter: 'a repeated parameter is refused even where both values are the same, or empty',
  },
  'rfc6749-3.2.1-confidential-authenticate': {
    level: 'MUST',
    binds: 'client',
    text: 'clients with credentials authenticate at the token endpoint',
  },
  'rfc6749-3.2.1-unauthenticated-client-id': {
    level: 'MUST',
    binds: 'client',
    text: 'a client that does not authenticate names itself by client_id with an authorization code',
    notApplicable: 'there are no authorization codes here, and no clients that do not authenticate',
  },
  'rfc6749-3.3-scope-told': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'where the scope is not what was asked for, the answer says what it is',
    stricter: 'it always does',
  },
  'rfc6749-3.3-default-scope': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'a request without scope gets a default, or fails with invalid_scope',
    stricter: 'the default is all that the client may do there',
  },
  'rfc6749-4.4-confidential-only': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the client credentials grant is for confidential clients only',
  },
  'rfc6749-4.4.2-grant-type': {
    level: 'REQUIRED',
    binds: 'client',
    text: 'grant_type is there, and is client_credentials',
  },
  'rfc6749-4.4.2-client-authenticates': {
    level: 'MUST',
    binds: 'client',
    text: 'the client authenticates',
  },
  'rfc6749-4.4.2-authenticates-client': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the server authenticates the client',
  },
  'rfc6749-4.4.3-no-refresh-token': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'the answer has no refresh token',
  },
  'rfc6749-5.1-access-token': {
    level: 'REQUIRED',
    binds: 'authorization server',
    text: 'the answer has access_token and token_type, and JSON in a body of its type',
  },
  'rfc6749-5.1-expires-in': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'expires_in is the life of the token in seconds, as a number',
  },
  'rfc6749-5.1-scope': {
    level: 'REQUIRED',
    binds: 'authorization server',
    text: 'scope is there where it is not what was asked for',
    stricter: 'it always is',
  },
  'rfc6749-5.1-no-store': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'answers with tokens or other secrets have Cache-Control: no-store and Pragma: no-cache',
  },
  'rfc6749-5.1-client-ignores-unknown': {
    level: 'MUST',
    binds: 'client',
    text: 'clients ignore members of the answer that they do not know',
  },
  'rfc6749-5.2-error': {
    level: 'REQUIRED',
    binds: 'authorization server',
    text: 'a refusal is a 400 with one error code, as JSON',
  },
  'rfc6749-5.2-error-characters': {
    level: 'MUST NOT',
    binds: 'authorization server',
    text: 'error and error_description have no characters outside %x20-21, %x23-5B and %x5D-7E',
  },
  'rfc6749-5.2-error-uri-characters': {
    level: 'MUST NOT',
    binds: 'authorization server',
    text: 'error_uri has no characters outside a URI reference',
    notApplicable: 'no answer has an error_uri',
  },
  'rfc6749-5.2-invalid-client': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'a client that failed by the Authorization header gets 401 and a WWW-Authenticate of the scheme it used',
    stricter: 'every client that fails gets 401 with WWW-Authenticate, as HTTP itself demands',
  },
  'rfc6749-5.2-unsupported-grant-type': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'a grant type that is not offered is unsupported_grant_type',
  },
  'rfc6749-5.2-invalid-scope': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'a scope that is unknown, malformed or beyond the client is invalid_scope',
  },
  'rfc6749-5.2-unauthorized-client': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'a client that may not use the grant type gets unauthorized_client',
    notApplicable:
      'every agent may ask for tokens and exchange those that it was given; who may do what is decided by scopes and delegation',
  },
} as const satisfies RequirementsOf
