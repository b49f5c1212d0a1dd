// RFC 9449, OAuth 2.0 Demonstrating Proof of Possession (DPoP).
import type { RequirementsOf } from '../requirement.ts'

const NO_REFRESH = 'there are no refresh tokens'
const NO_CODES = 'there are no authorization requests: nobody signs in here'

export const RFC_9449 = {
  'rfc9449-2-https': {
    level: 'MUST',
    binds: 'anybody',
    text: 'DPoP goes with HTTPS',
    stricter: 'an issuer by plain http is refused at the start, except on the machine itself',
  },
  'rfc9449-4.2-typ': {
    level: 'MUST',
    binds: 'client',
    text: 'the header of a proof has typ dpop+jwt',
    stricter: 'any other is refused',
  },
  'rfc9449-4.2-alg': {
    level: 'MUST NOT',
    binds: 'client',
    text: 'alg is neither none nor an algorithm with a shared secret',
    stricter: 'either is refused',
  },
  'rfc9449-4.2-jwk': {
    level: 'MUST NOT',
    binds: 'client',
    text: 'jwk holds no private key',
    stricter: 'a proof with one is refused',
  },
  'rfc9449-4.2-claims': {
    level: 'MUST',
    binds: 'client',
    text: 'a proof has jti, htm, htu and iat',
    stricter: 'a proof without one of them is refused, and so is a jti of more than 256 characters',
  },
  'rfc9449-4.2-jti-unique': {
    level: 'MUST',
    binds: 'client',
    text: 'it is all but impossible that two proofs have the same jti',
  },
  'rfc9449-4.2-ath': {
    level: 'MUST',
    binds: 'client',
    text: 'with an access token, a proof has ath, its SHA-256',
    stricter: 'a proof without it, or of another token, is refused',
  },
  'rfc9449-4.2-nonce': {
    level: 'MUST',
    binds: 'client',
    text: 'a proof has the nonce that the server has given',
    stricter: 'a proof without it is refused where nonces are asked for',
  },
  'rfc9449-4.3-1-one-header': {
    level: 'MUST',
    binds: 'anybody',
    text: 'there is one DPoP header',
  },
  'rfc9449-4.3-2-one-jwt': {
    level: 'MUST',
    binds: 'anybody',
    text: 'its value is one well-formed JWT',
  },
  'rfc9449-4.3-3-claims': {
    level: 'MUST',
    binds: 'anybody',
    text: 'the claims that are required are there',
  },
  'rfc9449-4.3-4-typ': { level: 'MUST', binds: 'anybody', text: 'typ is dpop+jwt' },
  'rfc9449-4.3-5-alg': {
    level: 'MUST',
    binds: 'anybody',
    text: 'alg is an asymmetric signature algorithm that is supported, and not none',
  },
  'rfc9449-4.3-6-signature': {
    level: 'MUST',
    binds: 'anybody',
    text: 'the signature verifies with the key in jwk',
  },
  'rfc9449-4.3-7-no-private-key': {
    level: 'MUST',
    binds: 'anybody',
    text: 'jwk holds no private key',
  },
  'rfc9449-4.3-8-htm': {
    level: 'MUST',
    binds: 'anybody',
    text: 'htm is the method of the request',
  },
  'rfc9449-4.3-9-htu': {
    level: 'MUST',
    binds: 'anybody',
    text: 'htu is the URL of the request, without query and fragment',
  },
  'rfc9449-4.3-10-nonce': {
    level: 'MUST',
    binds: 'anybody',
    text: 'nonce is one that the server has given, where it gives them',
  },
  'rfc9449-4.3-11-time': {
    level: 'MUST',
    binds: 'anybody',
    text: 'the proof was made within an acceptable time',
  },
  'rfc9449-4.3-12-ath': {
    level: 'MUST',
    binds: 'resource server',
    text: 'ath is the hash of the token that came with the proof',
  },
  'rfc9449-4.3-12-key': {
    level: 'MUST',
    binds: 'resource server',
    text: 'the token is bound to the key of the proof',
  },
  'rfc9449-5-proof-in-header': {
    level: 'MUST',
    binds: 'client',
    text: 'a bound token is asked for with a valid proof in the DPoP header, whatever the grant',
  },
  'rfc9449-5-invalid-dpop-proof': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'a proof that is not valid is answered with invalid_dpop_proof',
  },
  'rfc9449-5-token-type': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'the answer has the token_type DPoP where the token is bound',
  },
  'rfc9449-5-refresh-token-bound': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'a refresh token of a public client is bound to the key, and validated',
    notApplicable: NO_REFRESH,
  },
  'rfc9449-5-refresh-same-key': {
    level: 'MUST',
    binds: 'client',
    text: 'a public client refreshes with the same key',
    notApplicable: NO_REFRESH,
  },
  'rfc9449-5-client-discards': {
    level: 'MUST',
    binds: 'client',
    text: 'a client that needs a bound token discards one that is not',
  },
  'rfc9449-5.1-metadata': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'metadata lists the algorithms of proofs',
  },
  'rfc9449-5.2-always-bound': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'a client with dpop_bound_access_tokens gets no token without a DPoP header',
  },
  'rfc9449-6-identifies-bound-tokens': {
    level: 'MUST',
    binds: 'resource server',
    text: 'it is known of each token whether it is bound, and to which key',
  },
  'rfc9449-6-key-matches': {
    level: 'MUST',
    binds: 'resource server',
    text: 'the key of the proof is the one that the token is bound to',
  },
  'rfc9449-6.1-jkt': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'cnf.jkt is the SHA-256 thumbprint of the key, in base64url',
  },
  'rfc9449-6.2-introspection': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'introspection tells cnf.jkt, and the token_type DPoP',
  },
  'rfc9449-7-proof-and-token': {
    level: 'MUST',
    binds: 'client',
    text: 'a request has both the proof and the token',
    stricter: 'either alone is refused',
  },
  'rfc9449-7-ath': {
    level: 'MUST',
    binds: 'client',
    text: 'the proof has the hash of the token',
  },
  'rfc9449-7.1-all-checks': {
    level: 'MUST',
    binds: 'resource server',
    text: 'proof, key and token are all checked',
  },
  'rfc9449-7.1-no-access': {
    level: 'MUST NOT',
    binds: 'resource server',
    text: 'no access is given unless all checks succeed',
  },
  'rfc9449-7.1-unknown-parameters': {
    level: 'MUST',
    binds: 'client',
    text: 'parameters of challenges that are not known are ignored',
    notApplicable: 'binds clients',
  },
  'rfc9449-7.1-no-proxy-authorization': {
    level: 'MUST NOT',
    binds: 'anybody',
    text: 'the scheme is not used with proxies',
  },
  'rfc9449-7.2-no-downgrade': {
    level: 'MUST',
    binds: 'resource server',
    text: 'a bound token that comes as Bearer is refused',
  },
  'rfc9449-8-use-dpop-nonce': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'a proof without a nonce gets 400, use_dpop_nonce and a nonce',
  },
  'rfc9449-8-unpredictable': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'nonces cannot be predicted',
  },
  'rfc9449-8-one-nonce-header': {
    level: 'MUST NOT',
    binds: 'authorization server',
    text: 'there is no more than one DPoP-Nonce header',
  },
  'rfc9449-8-mismatch': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'a proof with a nonce that was not given lately is refused',
  },
  'rfc9449-8.1-syntax': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'a nonce has the characters of a scope',
  },
  'rfc9449-8.2-client-uses-new': {
    level: 'MUST',
    binds: 'client',
    text: 'clients use the newest nonce from then on',
  },
  'rfc9449-8.2-nonce-with-success': {
    level: 'FACT',
    binds: 'authorization server',
    text: 'good answers bring the next nonce, and are not cached',
  },
  'rfc9449-9-resource-nonce': {
    level: 'FACT',
    binds: 'resource server',
    text: 'an agent asks for a nonce by 401, a DPoP challenge with use_dpop_nonce, and DPoP-Nonce',
  },
  'rfc9449-10-dpop-jkt': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'an authorization code is redeemed with the key that dpop_jkt named',
    notApplicable: NO_CODES,
  },
  'rfc9449-10.1-pushed-requests': {
    level: 'MUST',
    binds: 'authorization server',
    text: 'pushed authorization requests take dpop_jkt and the DPoP header, and check them',
    notApplicable: NO_CODES,
  },
  'rfc9449-11.1-limited-time': {
    level: 'MUST',
    binds: 'anybody',
    text: 'a proof is taken for a limited time only',
    stricter: 'and once, on all instances',
  },
  'rfc9449-11.3-nonce-downgrade': {
    level: 'MUST NOT',
    binds: 'anybody',
    text: 'once nonces are given, no proof without one is taken',
  },
  'rfc9449-11.5-typ': {
    level: 'MUST',
    binds: 'anybody',
    text: 'the typ is verified, so that no JWT made for something else is taken',
  },
  'rfc9449-11.6-asymmetric-only': {
    level: 'MUST',
    binds: 'anybody',
    text: 'proofs are signed by secure asymmetric algorithms only, never by none',
  },
} as const satisfies RequirementsOf
