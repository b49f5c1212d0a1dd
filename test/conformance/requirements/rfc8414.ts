// RFC 8414, OAuth 2.0 Authorization Server Metadata.
import type { RequirementsOf } from '../requirement.ts'

const NOT_SIGNED = 'there is no signed_metadata: the document comes over TLS from the issuer itself'

export const RFC_8414 = {
  'rfc8414-2-issuer': {
    level: 'REQUIRED',
    binds: 'authorization server',
    text: 'issuer is an https URL without query and fragment',
    stricter: 'any other is refused at the start; http is for the machine itself only',
  },
  'rfc8414-2-authorization-endpoint': {
    level: 'REQUIRED',
    binds: 'authorization server',
    text: 'authorization_endpoint is there, unless no grant type uses it',
    stricter: "it is there although none does, since MCP's clients ask for it, and explains itself",
  },
  'rfc8414-2-token-endpoint': {
    level: 'REQUIRED',
    binds: 'authorization server',
    text: 'token_endpoint is there',
  },
  'rfc8414-2-jwks-uri': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'jwks_uri is an https URL of the keys that signatures are verified with',
    stricter: 'it is below the issuer',
  },
  'rfc8414-2-key-use': {
    level: 'REQUIRED',
    binds: 'authorization server',
    text: 'keys say their use where there are keys to sign and to encrypt',
    stricter: 'there are keys to sign only, and each says so',
  },
  'rfc8414-2-response-types': {
    level: 'REQUIRED',
    binds: 'authorization server',
    text: 'response_types_supported is there',
  },
  'rfc8414-2-signing-algorithms': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'where clients may authenticate by a signed JWT, the algorithms for it are listed',
  },
  'rfc8414-2-no-none': {
    level: 'MUST NOT',
    binds: 'authorization server',
    text: 'none is not among the algorithms',
  },
  'rfc8414-2.1-signed-metadata': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'signed metadata is signed and has iss',
    notApplicable: NOT_SIGNED,
  },
  'rfc8414-2.1-signed-precedence': {
    level: 'MUST',
    binds: 'client',
    text: 'values of signed metadata go before the plain ones',
    notApplicable: NOT_SIGNED,
  },
  'rfc8414-3-well-known': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the document is where a well-known path is inserted between host and path of the issuer',
  },
  'rfc8414-3-suffix-registered': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the suffix of the well-known path is registered',
    stricter: 'it is the one that the RFC itself registers',
  },
  'rfc8414-3-suffix-specified': {
    level: 'MUST',
    binds: 'anybody',
    text: 'an application of OAuth says which suffix it uses',
    notApplicable: 'Deputy is no application with a suffix of its own',
  },
  'rfc8414-3-https': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the document is served by https',
    stricter: 'an issuer by plain http is refused at the start, except on the machine itself',
  },
  'rfc8414-3.1-get': {
    level: 'MUST',
    binds: 'client',
    text: 'the document is asked for by GET',
    stricter: 'only GET and HEAD are answered',
  },
  'rfc8414-3.1-terminating-slash': {
    level: 'MUST',
    binds: 'anybody',
    text: 'a slash at the end of the issuer is taken off before the path is inserted',
  },
  'rfc8414-3.2-success': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the answer is 200 with a JSON object in application/json',
  },
  'rfc8414-3.2-no-empty-claims': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'claims without elements are left out',
  },
  'rfc8414-3.3-same-issuer': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'issuer is, to the letter, the one that the document was found by',
  },
  'rfc8414-3.3-others-not-used': {
    level: 'MUST NOT',
    binds: 'client',
    text: 'a document of another issuer is not used',
    stricter: 'agents that verify tokens refuse it too',
  },
  'rfc8414-4-string-comparison': {
    level: 'MUST',
    binds: 'anybody',
    text: 'texts are compared character by character, without normalisation',
  },
  'rfc8414-6.1-tls': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'TLS is supported',
    stricter: 'an issuer by plain http is refused at the start, except on the machine itself',
  },
  'rfc8414-6.1-confidentiality': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the TLS protects confidentiality and integrity',
    notApplicable:
      'TLS ends in front of the server: its cipher suites are those of whoever runs that',
  },
  'rfc8414-6.2-certificate': {
    level: 'MUST',
    binds: 'client',
    text: 'clients check the certificate when they ask for metadata',
    notApplicable: 'binds clients; Deputy uses the platform, which checks it',
  },
  'rfc8414-6.2-client-checks-issuer': {
    level: 'MUST',
    binds: 'client',
    text: 'clients make sure that the issuer of the document is the one that they asked',
  },
  'rfc8414-6.1-certificate-check': {
    level: 'MUST',
    binds: 'client',
    text: "clients check the server's certificate",
    notApplicable: 'binds clients; Deputy uses the platform, which checks it',
  },
} as const satisfies RequirementsOf
