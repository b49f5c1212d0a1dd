// RFC 8707, Resource Indicators for OAuth 2.0.
import type { RequirementsOf } from '../requirement.ts'

export const RFC_8707 = {
  'rfc8707-2-absolute-uri': {
    level: 'MUST',
    binds: 'client',
    text: 'resource is an absolute URI',
    stricter: 'the server refuses any other, with invalid_target',
  },
  'rfc8707-2-no-fragment': {
    level: 'MUST NOT',
    binds: 'client',
    text: 'resource has no fragment',
    stricter: 'the server refuses one that has',
  },
  'rfc8707-2-several-resources': {
    level: 'FACT',
    binds: 'client',
    text: 'resource may be there more than once',
    stricter:
      'a token is for one agent: more than one are refused with invalid_target, which says so',
  },
  'rfc8707-2-invalid-target': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'a resource that is malformed, unknown or missing is invalid_target',
  },
  'rfc8707-2-audience-restricted': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'the token is restricted to the resource that was named',
  },
  'rfc8707-2-default-resource': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'without resource the server takes a default, or refuses with invalid_target',
  },
  'rfc8707-2.1-authorization-request': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'the resources of an authorization request bound those of its tokens',
    notApplicable: 'there are no authorization requests: nobody signs in here',
  },
  'rfc8707-2.2-within-grant': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'a resource that the client may not have is refused with invalid_target',
  },
} as const satisfies RequirementsOf
