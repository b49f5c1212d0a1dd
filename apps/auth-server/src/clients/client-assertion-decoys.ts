// Keys of nobody: where a client has no key to verify with, one of these is verified with instead, so
// that the work is the same. Their private halves were thrown away when they were made; what is verified
// with them is refused whatever comes out.
import type { ProofAlgorithm, PublicJwk } from '@deputy/auth/protocol'

const ED25519: PublicJwk = {
  crv: 'Ed25519',
  x: 'fOOeB3an1hX1nQocrJ4zxQlz5WEATP6BwcR2_5OgqYw',
  kty: 'OKP',
}
const RSA: PublicJwk = {
  kty: 'RSA',
  n: 'vTAP-pn30Uzx8OWDCJs2yKvHLXjtv8DWwDcT5VNNNvloEsx_k9dr26-PDEip7uMEAiJChfuVl34eyxcuhj5Q29o5GU6XT6nPR2O6jwNJrUf1ffc7i_7diI7ujmoHgn4QgLVlk0wQjkPHvwWzwpxw0IVO3gB0gQYCGiDcmiBp6eRNmOHFsRWEy5I0PhN7-qStQefM93ANuRKnly_z0sLHWtqwAE7zBexntWqk-yBcbhmX0YCMBeYMNGPvj6RzzSdYaw8IEGm_rJzIjnnyCD1L8qVzQJ2uHpwthJ61Yfn92ZsWTDO7zKvh6nJlzKBiHj9zFaUm0rxFvR8p5RfYSrM0Hw',
  e: 'AQAB',
}

/** A key for each algorithm. */
export const DECOY_KEYS: Readonly<Record<ProofAlgorithm, PublicJwk>> = {
  ES256: {
    kty: 'EC',
    x: 'FwHLneb8op3Wylo2FWzwPNDXXMJa8djGUUJ50Sl_OZM',
    y: 'AgsUhGenufkqhd0pOyzG3TcWdyH9cvUVxjKXJC3tXGw',
    crv: 'P-256',
  },
  ES384: {
    kty: 'EC',
    x: '2OdV0YAwlJOjuC84doev0TgjzjfoFTGmhaZvBf4HL3lXmPxhOa35k44ms8TXL_1X',
    y: 'ilxaXiF5FCsdcpkph5VswG9yef1MVo7nrOgS0Ky1hiZvfX1-OLxM-neNKp0jhYP9',
    crv: 'P-384',
  },
  ES512: {
    kty: 'EC',
    x: 'AbttjlFStYBaUJJCvntg8yY04AffR7vy8C6jc0G034f1mMNxNeMtSsI6nE0yKx8XZ49VkG9ElXE9O52-gPXKTMbe',
    y: 'AT2iBXw7DYP4BXFIyeOqv0iHtxudPcM7Dt_SgN2reiGRM6ndmWUvlK8hb974iuUqusXGkzjyiYhcCL8GhJov3VEV',
    crv: 'P-521',
  },
  EdDSA: ED25519,
  Ed25519: ED25519,
  PS256: RSA,
  RS256: RSA,
}
